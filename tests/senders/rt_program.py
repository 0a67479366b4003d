"""The real Request Tracker 5 of the distribution, with a database, a queue and a token of its own.

They take most of a minute to install, so only root's `REAL_PARTS=rt tests/real/fetch_parts.sh`
does it, and with it `.ci/run`; where they are installed the test uses them.
"""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path

from ports import free_port

SETUP = shutil.which("rt-setup-database-5", path="/usr/sbin:/usr/bin")
SERVER = Path("/usr/share/request-tracker5/libexec/rt-server")
PACKAGES = ("request-tracker5", "rt5-db-sqlite", "rt5-standalone")
QUEUE, FIELD, REQUESTOR = "UC Changes", "Change-Key", "uc@example.net"
RIGHTS = (
    "SeeQueue CreateTicket ShowTicket ShowTicketComments ModifyTicket CommentOnTicket "
    "ReplyToTicket SeeCustomField ModifyCustomField"
)
_SITE = """
Set($rtname, 'watcher.test'); Set($Organization, 'watcher.test');
Set($DatabaseType, 'SQLite'); Set($DatabaseName, '{folder}/rt.sqlite');
Set($DatabaseAdmin, ''); Set($DatabaseUser, ''); Set($DatabasePassword, '');
Set($WebDomain, '127.0.0.1'); Set($WebPort, {port}); Set($WebPath, '');
Set($LogToSyslog, undef); Set($LogToSTDERR, 'warning'); Set($MailCommand, 'testfile');
Set($Timezone, 'Europe/Vienna'); Set($WebSessionClass, 'Apache::Session::File');
Set($BcryptCost, 4); # a token is reckoned anew at each call: 0.25 s with the default of 12
$RT::VarPath = '{folder}/data'; $RT::MasonDataDir = '{folder}/data/mason';
$RT::MasonSessionDir = '{folder}/data/sessions';
1;
"""
_DATA = """
our @Queues = ({{ Name => '{queue}', Description => 'test' }});
our @CustomFields = ({{
    Name => '{field}', Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket',
    Queue => ['{queue}'],
}});
our @Users = ({{
    Name => 'watcher', EmailAddress => 'watcher@example.net', Privileged => 1,
    Password => 'nobody-logs-in-1',
}});
our @ACL = map {{
    {{ UserId => 'watcher', Queue => '{queue}', Right => $_, ObjectType => 'RT::Queue' }}
}} qw({rights});
our @Final = (sub {{
    my $user = RT::User->new(RT->SystemUser);
    $user->Load('watcher');
    my $token = RT::AuthToken->new(RT->SystemUser);
    my ($ok, $message, $text) = $token->Create(Owner => $user->id, Description => 'test');
    open(my $out, '>', '{folder}/token') or die $!;
    print $out $text;
    close $out;
}});
1;
"""


def missing():
    """Return which packages are not here; one that is not set up to its end is not."""
    if shutil.which("dpkg-query") is None:
        return ", ".join(PACKAGES)
    shown = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *PACKAGES]
    told = subprocess.run(shown, capture_output=True, text=True, check=False).stdout.splitlines()  # noqa: S603 -- fixed words
    return ", ".join(name for name in PACKAGES if f"{name} installed" not in told)


class RtProgram:
    """RT in a folder of its own, on a port of its own."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        for name in ("conf.d", "data/mason", "data/sessions"):
            (folder / name).mkdir(parents=True)
        data = {"queue": QUEUE, "field": FIELD, "rights": RIGHTS, "folder": folder}
        (folder / "site.pm").write_text(_SITE.format(folder=folder, port=self.port))
        (folder / "data.pl").write_text(_DATA.format(**data))
        self.environment = {
            "PATH": os.environ["PATH"] + ":/usr/sbin", "LC_ALL": "C.UTF-8", "HOME": str(folder),
            "RT_SITE_CONFIG": str(folder / "site.pm"),
            "RT_SITE_CONFIG_DIR": str(folder / "conf.d"),
        }  # fmt: skip

    @property
    def url(self):
        """Return where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self):
        """Return the token of the user watcher."""
        return (self.folder / "token").read_text()

    def __enter__(self):
        """Make the database, start the server and wait until it answers."""
        self._set_up("--action", "init", "--skip-create")
        self._set_up("--action", "insert", "--datafile", str(self.folder / "data.pl"))
        arguments = [str(SERVER), "--host", "127.0.0.1", "--port", str(self.port)]
        with (self.folder / "server.log").open("wb") as log:
            self.server = subprocess.Popen(  # noqa: S603 -- the distribution's program
                arguments, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        try:
            self._wait()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *error):
        """End the server and its children."""
        self._end()

    def log(self):
        """Return what it complained about."""
        return (self.folder / "server.log").read_text(errors="replace")

    def delete(self, id_):
        """Delete a ticket, as people with the right to do."""
        with closing(sqlite3.connect(self.folder / "rt.sqlite", timeout=30)) as database, database:
            database.execute("UPDATE Tickets SET Status = 'deleted' WHERE id = ?", (id_,))

    def _set_up(self, *arguments):
        done = subprocess.run(  # noqa: S603 -- the distribution's program
            [SETUP, *arguments], env=self.environment, capture_output=True, timeout=120,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")

    def _wait(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.server.poll() is None, self.log()
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return
            time.sleep(0.1)
        raise AssertionError(f"RT does not answer: {self.log()}")

    def _end(self):
        with suppress(ProcessLookupError):
            os.killpg(self.server.pid, signal.SIGTERM)
        try:
            self.server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait(timeout=10)
