"""Real senders over UDP: what reaches us is each message once, as the sender wrote it."""

import pytest
from inputs.udp_desk import listening, need_ipv6, until
from real import parts
from real.relay import forwarding, numbers, write_lines

COUNT = 500


@pytest.fixture
def lines(tmp_path):
    return write_lines(tmp_path / "lines.log", COUNT)


def check(input_, journal):
    """Wait for all that the kernel did not drop; each came once and whole."""
    until(lambda: journal.received + input_.figures().dropped >= COUNT)
    seen = numbers(message.data for message in journal.kept)

    assert len(set(seen)) == len(seen) == journal.received
    assert COUNT == journal.received + input_.figures().dropped
    assert (0, 0) == (journal.noise, journal.books.difference)


@pytest.mark.parametrize("form", ["--rfc3164", "--rfc5424"])
def test_logger(lines, form):
    logger = parts.need(parts.logger(), "logger of util-linux")
    with listening() as (input_, journal, _):
        host, port = input_.address
        logger.run(["--server", host, "--port", port, "--udp", form, "--file", lines])

        check(input_, journal)


def test_logger_over_ipv6(lines):
    need_ipv6()
    logger = parts.need(parts.logger(), "logger of util-linux")
    with listening("") as (input_, journal, _):
        logger.run(["--server", "::1", "--port", input_.address[1], "--udp", "--file", lines])

        check(input_, journal)


@pytest.mark.parametrize("template", ["RSYSLOG_ForwardFormat", "with-lf"])
def test_rsyslog(tmp_path, lines, template):  # noqa: ARG001 -- the relay reads what is written
    rsyslog = parts.need(parts.rsyslog(), "rsyslogd")
    with listening() as (input_, journal, _):
        how = f'protocol="udp" template="{template}"'
        with forwarding(rsyslog, tmp_path, input_.address[1], how):
            check(input_, journal)


def test_loggen(lines):
    loggen = parts.need(parts.loggen(), "loggen of syslog-ng")
    with listening() as (input_, journal, _):
        arguments = ["--inet", "--dgram", "--read-file", lines, "--dont-parse"]
        loggen.run([*arguments, "--number", COUNT, *input_.address])

        check(input_, journal)
