"""A real rsyslogd that forwards a file of numbered alarms, and what it is told."""

import re
import signal
from contextlib import contextmanager

ALARM = b"<186>7: cucm1: Nov 23 2026 10:00:00.000 UTC: %UC_CERT-2-CertExpired: "
NUMBERED = re.compile(rb"%UC_CERT-2-CertExpired: number=([0-9]{6}) end\n?")
STARTED = """\
global(workDirectory="{work}" {settings})
module(load="imfile" mode="inotify")
template(name="with-lf" type="string" string="<%pri%>%timestamp% %hostname% %syslogtag%%msg%\\n")
input(type="imfile" file="{lines}" tag="relay:")
action(type="omfwd" target="127.0.0.1" port="{port}" action.resumeRetryCount="-1" {how})
"""


def write_lines(path, count):
    """Write numbered alarms, one to a line."""
    path.write_bytes(b"".join(ALARM + b"number=%06d end\n" % number for number in range(count)))
    return path


def numbers(messages):
    """Return the numbers of whole numbered alarms; a mangled one fails."""
    found = []
    for message in messages:
        match = NUMBERED.search(message)
        assert match, message
        assert match.end() == len(message), message
        found.append(int(match[1]))
    return found


@contextmanager
def forwarding(program, folder, port, how, settings=""):
    """Run rsyslogd until the block ends; it forwards what `write_lines` wrote to lines.log."""
    work = folder / "rsyslog"
    work.mkdir()
    configuration = folder / "rsyslog.conf"
    configuration.write_text(
        STARTED.format(work=work, lines=folder / "lines.log", port=port, how=how, settings=settings)
    )
    modules = ["-M", ":".join(map(str, program.modules))] if program.modules else []
    with (folder / "told").open("wb") as told:
        running = program.start(
            ["-n", "-C", "-i", folder / "pid", *modules, "-f", configuration],
            stdout=told, stderr=told,
        )  # fmt: skip
    try:
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(20)
        finally:
            running.kill()
            running.wait()
