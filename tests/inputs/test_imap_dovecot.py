"""A real dovecot with a mailbox of its own; skipped where there is none."""

import contextlib
import os
import shutil
import ssl
import tempfile
from pathlib import Path

import pytest
import trustme
from inputs.mailroom import MAIL, until
from inputs.test_imap import fetching
from ports import free_port
from real.parts import Program, need

from watcher.inputs.imap import ImapSecurity

CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain
mail_location = maildir:{folder}/mail
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
passdb {{
  driver = static
  args = password=hunter2
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/mail
}}
namespace inbox {{
  inbox = yes
  mailbox done {{
    auto = create
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
"""


class Dovecot:
    """A mailbox in a folder, and where it is served."""

    def __init__(self, folder):
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()

    def deliver(self, name, data):
        """Put a mail in as a delivery agent does."""
        new = self.folder / "mail/tmp" / name
        new.write_bytes(data)
        shutil.chown(new, "mail", "mail")
        new.rename(self.folder / "mail/new" / name)

    def seen(self, folder=""):
        """Return the names of the mails of a folder that are marked as seen."""
        found = (self.folder / "mail" / folder / "cur").glob("*:2,*S*")
        return sorted(path.name.partition(":")[0].partition(",")[0] for path in found)


@pytest.fixture
def dovecot():
    path = shutil.which("dovecot", path="/usr/sbin:/usr/bin")
    program = need(Program(Path(path)) if path and os.geteuid() == 0 else None, "dovecot")
    with tempfile.TemporaryDirectory() as name:
        made = Dovecot(Path(name))
        made.folder.chmod(0o755)
        for part in ("mail", "mail/new", "mail/cur", "mail/tmp"):
            (made.folder / part).mkdir()
            shutil.chown(made.folder / part, "mail", "mail")
        configuration = made.folder / "dovecot.conf"
        ports = {"port": made.port, "tls_port": made.tls_port}
        configuration.write_text(CONFIGURATION.format(folder=made.folder, **ports))
        made.tls = certificates(made.folder)
        running = program.start(["-F", "-c", configuration])
        try:
            yield made
        finally:
            running.terminate()
            running.wait(60)


def certificates(folder):
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(folder / "cert.pem", append=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


@contextlib.asynccontextmanager
async def fetched(dovecot, **options):
    """Fetch from dovecot, inside TLS."""
    dovecot.port = dovecot.tls_port
    secure = {"security": ImapSecurity.TLS, "tls": dovecot.tls}
    async with fetching(dovecot, **secure, **options) as both:
        yield both


async def test_mail_is_fetched_and_marked(dovecot):
    dovecot.deliver("first", MAIL)
    dovecot.deliver("large", b"Subject: x\r\n\r\n" + b"y\r\n" * 100_000)
    async with fetched(dovecot) as (imap, journal):
        await until(lambda: len(dovecot.seen()) == 2)
        await until(lambda: imap.status.success)
        dovecot.deliver("second", b"Subject: 2\r\n\r\n.\r\n\r\nx\r\n")
        await until(lambda: len(dovecot.seen()) == 3)

    assert [MAIL, b"Subject: 2\r\n\r\n.\r\n\r\nx\r\n"] == journal.data


async def test_mail_is_moved(dovecot):
    dovecot.deliver("first", MAIL)
    async with fetched(dovecot, move_to="done") as (_, journal):
        await until(lambda: dovecot.seen(".done"))

    assert [MAIL] == journal.data
    assert [] == dovecot.seen()


async def test_starttls_works_too(dovecot):
    dovecot.deliver("first", MAIL)
    options = {"security": ImapSecurity.STARTTLS, "tls": dovecot.tls}
    async with fetching(dovecot, **options) as (_, journal):
        await until(dovecot.seen)

    assert [MAIL] == journal.data


async def test_mail_that_is_not_on_our_disk_comes_again(dovecot):
    dovecot.deliver("first", MAIL)
    async with fetched(dovecot) as (_, journal):
        journal.hold = True
        await until(lambda: journal.held)
    before = dovecot.seen()
    async with fetched(dovecot) as (_, journal):
        await until(dovecot.seen)

    assert [] == before
    assert [MAIL] == journal.data
