"""What the fuzzer begins with: inputs of our own generators, hand-made ones, and their words."""

import random
import struct
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path

import generate
from builders import CATALOGUE, message
from settings.mutants import SAMPLE

from watcher.app.knowledge import builtin_packs
from watcher.journal.format import COUNTED, KEPT, Bodies, frame, write_counts
from watcher.model.ledger import Counts, Line, Place, Reason
from watcher.model.message import Grade, Origin, RawMessage, Way
from watcher.traffic.cast import cast
from watcher.traffic.invent import invent
from watcher.traffic.message import Form
from watcher.traffic.play import play
from watcher.traffic.programme import Programme

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CORPUS = HERE / "corpus"
SHARED = ROOT.parent / "shared" / "corpus"
START = datetime(2026, 11, 20, 1, tzinfo=UTC)
MOST = 16 * 1024
BODY = (
    b"Certificate expiration Notification. Certificate name:tomcat.der Unit:tomcat Type:own-cert "
    b"Expiration:Wed Nov 25 14:05:00:000 UTC 2026"
)
LINES = (
    b"<189>864: h: Nov 20 2026 01:00:06.544 UTC :  %UC_CERT-2-CertValidfor7days: %[Message=x]",
    b"<189>Mar  5 06:00:01 192.0.2.7 5: h: Mar 05 2024 05:00:00 UTC : %UC_CERT-4-X: y",
    b"Mar  5 06:00:01 sub1 local7 2 : 1: sub1.lab: *Mar 05 2024 05:00:01 AM.4 UTC : %UC_A-1-B: z",
    b"<189>1 2026-11-20T01:00:06Z 192.0.2.7 - - - - 8: h: Nov 20 2026 01:00:06 UTC : %UC_A-1-X: a",
    b'1 2026-11-20T01:00:06.1+01:00 h app 1 ID47 [a@1 b="c\\"]d"][e] \xef\xbb\xbf%UC_CERT-1-X: a',
    b"<189>65536: ",
    b"<189>Mar  5 06:0",
    b"<14>1: : audispd: noise",
)


def _plays(*forms: Form, count: int = 12) -> list[bytes]:
    clusters = cast(invent(3), CATALOGUE, seed=1, start=START)
    programme = Programme(seed=1, start=START, forms=forms, noise=0.3, hourly=False)
    told = play(clusters, CATALOGUE.alarms, programme)
    return [played.data for played in islice(told, 0, count * 9, 9)]


def _archive(count: int) -> list[bytes]:
    pieces = generate.archive(count, share=0.6, uc_share=0.2, seed=7)
    return [piece.encode() for piece, _ in pieces]


@cache
def records() -> list[bytes]:
    """Return records as they arrive, of every kind."""
    own = [message(store=store).encode() for store in ("tomcat", "CallManager-trust")]
    return [*LINES, *own, *_plays(Form.REMOTE), *_archive(24)]


def _frames() -> list[bytes]:
    rows = records()[:20]
    counted = [b"".join(b"%d %s" % (len(row), row) for row in rows[n : n + 3]) for n in (0, 7, 12)]
    lines = [b"\n".join(rows[n : n + 3]) + end for n, end in ((0, b"\n"), (3, b"\0"), (6, b""))]
    lies = [b"5 <14>x7 <14>yyz", b"99999 " + rows[0], b"0 x", b"007 <14>abc", b"65536 x", b"1" * 21]
    return [*counted, *lines, *lies, b"12345", rows[0] * 9]


def _tags() -> list[bytes]:
    return [
        b"%[" + row.partition(b"%[")[2] for row in records() if b"%[" in row
    ] + [
        b"App ID: Cisco x Cluster ID: Node ID: pub text",
        b"%[AlertName=a][AlertDetail=b][AppID=c][ClusterID=][NodeID=d]: RTMT Alert",
        b"%[Message%61x][NodeID%61y]",
        b"[UNKNOWN_PARAMNAME:a=b][part=16.1/3][AppID=x][ClusterID=][NodeID=y]:",
        b"[Message=a][b=c].der Unit:tomcat Type:x][AppID=x][ClusterID=][NodeID=y]: t",
    ]  # fmt: skip


def _bodies() -> list[bytes]:
    return [
        BODY, BODY[:129], BODY[:100], BODY[:60], b"Certificate name:a Unit:b Unit:tomcat-trust ",
        b"Certificate name:sub1.lab.example.der Unit:tomcat-trust Type:trust-certs Expiration:W",
    ]  # fmt: skip


def _dates() -> list[bytes]:
    text = b"Wed Nov 25 14:05:00:000 UTC 2026"
    cuts = [text[:cut] for cut in (0, 2, 6, 9, 11, 16, 24, 28, 30, len(text))]
    odd = [b"Thu Feb 29 00:00:00:000 CET 2024", b"Fri Dec 31 23:59:59:999 GMT+14:00 9999",
           b"Mon Jan 01 00:00:00:000 UTC 0001", b"Sun Feb 30 12:00:00:000 UTC 2026"]  # fmt: skip
    return [bytes((n, n % 8)) + text for n, text in enumerate((*cuts, *odd))]


def _alerts() -> list[bytes]:
    mails = _plays(Form.MAIL) + _plays(Form.ALERT)
    return [mail.partition(b"\r\n\r\n")[2] or mail for mail in mails]


def _mails() -> list[bytes]:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(12)
    )
    return [
        *_plays(Form.MAIL),
        *(path.read_bytes()[:MOST] for path in sorted((HERE.parent / "corpus").glob("*.eml"))),
        nested + b"\r\n%UC_CERT-4-X: x",
        b"Content-Type: message/rfc822\r\n\r\n" * 12 + b"x",
        b"Message-ID: <[]>\r\nFrom: " + b"(" * 200 + b"\r\n\r\nx",
        b"Content-Type: text/html; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+",
    ]


def _messages() -> list[bytes]:
    boxes = [path.read_bytes()[:MOST] for path in sorted((HERE.parent / "corpus").glob("*.*"))]
    counted = [b"".join(b"%d %s" % (len(row), row) for row in records()[8:12])]
    wide = [records()[8].decode().encode("utf-16")]
    packed = [b"\x1f\x8b\x08%UC_CERT-", b"PK\x03\x04%UC_CERT-"]
    shared = sorted(SHARED.glob("*/*")) if SHARED.is_dir() else []
    more = [path.read_bytes()[:MOST] for path in shared if path.is_file()]
    return [*records(), *_plays(*Form), *_mails(), *boxes, *counted, *wide, *packed, *more]


def _alarms() -> list[bytes]:
    forged = (b"Dec 31 9999 ", b"Jan 01 0001 ", b"Feb 29 2024 ", b"Nov 20 1970 ")
    own = [message(store=s, node=n).encode() for s in ("tomcat", "ipsec") for n in ("pub", "sub1")]
    told = [own[0].replace(b"Nov 20 2026 ", time) for time in forged]
    return [*own, *told, b"\n".join(own), *_plays(Form.REMOTE, Form.MAIL, count=6), *_archive(12)]


def _wire_mails() -> list[bytes]:
    mail = b"Subject: x\r\n\r\n..dot\r\nline\r\n"
    ends = (b".\r\n", b".\r\nMAIL FROM:<>\r\n", b"\n.\n", b"\r.\r", b"\n.\r\n", b".\n", b"")
    return [mail + end for end in ends] + [b".\r\n", b"\r\n.\r\n", b"x" * 300 + b"\r\n.\r\n"]


def _settings() -> list[bytes]:
    environment = (
        b"\0WATCHER_INPUTS__UDP__0__PORT=5514\nWATCHER_LOG__LEVEL=debug\nSTATE_DIRECTORY=/x"
    )
    examples = [
        (ROOT / "deploy/examples" / name).read_bytes() for name in ("demo.yaml", "watcher.yaml")
    ]
    small = [b"version: 1\ninputs: {udp: {port: 5514}}\n", b"version: 1\n"]
    return [
        SAMPLE.encode(),
        SAMPLE.encode() + environment,
        *examples,
        *small,
        small[1] + environment,
    ]


def _inventories() -> list[bytes]:
    names = sorted((ROOT / "deploy/examples").glob("*-*.yaml"))
    broken = sorted((HERE.parent / "broken" / "inventory").glob("*.yaml"))
    return [path.read_bytes()[:MOST] for path in (*names, *broken[::4])]


def _packs() -> list[bytes]:
    broken = [
        *(HERE.parent / "broken/rules").glob("*.yaml"),
        *(HERE.parent / "broken/site").glob("*.yaml"),
    ]
    whole = [text.encode()[:MOST] for _, text in builtin_packs()]
    return [*whole, *(path.read_bytes()[:MOST] for path in sorted(broken)[::4])]


def _pastes() -> list[bytes]:
    samples = sorted((HERE.parent / "transcripts" / "samples").glob("*.txt"))
    return [path.read_bytes()[:MOST] for path in samples]


def _certificates() -> list[bytes]:
    return [b"0\x82\x02\x39"]


def _segments() -> list[bytes]:
    bodies = Bodies()
    origin = Origin(way=Way.TCP, input="tcp", peer="192.0.2.7", grade=Grade.CLAIM, bound=("pub",))
    told = RawMessage(origin=origin, received_at=START, monotonic_ns=7, data=LINES[0])
    line = Line("tcp", Place.NOISE, Reason.NONE, 3)
    counts = Counts(lines=(line,), heard={("tcp", "192.0.2.7"): (1, START)})
    body, count = bodies.write_message(told), write_counts(counts, 1)
    first = frame(KEPT, [body, body], 0x5EED, 0)
    second = first + frame(COUNTED, [count], 0x5EED, len(first))
    return [first, second, second[:-3], body, count, struct.pack("<qqBI", 0, 0, 0, 2) + b"[]x"]


_TEXT = (
    b"%UC_CERT-", b"%UC_CERT-4-CertValidLessThanMonth: ", b"%UC_RTMT-2-RTMT_ALERT: ", b"% UC_",
    b"UC_CERT-", b"%CCM_RTMT-RTMT-3-RTMT-ERROR-ALERT: ", b"<189>", b"<189>1 ", b"1: ", b": ", b"*",
    b"Mar  5 06:00:01 ", b"Nov 20 2026 01:00:06.544 UTC : ", b"2026-11-20T01:00:06Z ", b" AM",
    b"sub1 local7 2 : ", b'[a b="c"]', b"- - - - ", b"\xef\xbb\xbf", b"\\", b"%[", b"]: ", b"][",
    b"[AppID=", b"[ClusterID=", b"[NodeID=", b"NodeID: ", b"App ID:", b"[Message=", b"[AlertName=",
    b"[AlertDetail=", b"[part=1.1/2]", b"UNKNOWN_PARAMNAME:", b"%61", b"%59", b"#012", b"# 012",
    b"Certificate name:", b" Unit:", b" Type:", b" Expiration:", b"tomcat-trust", b".der",
    b"Wed Nov 25 14:05:00:000 UTC 2026", b"Dec 31 9999 23:59:59 ", b"Jan 01 0001 00:00:00 ",
    b"At Fri Sep 05 02:00:56 CEST 2014 on node x, the following ",
    b"SyslogSeverityMatchFound events generated:", b"\nMatchedEvent : ",
    b"SeverityMatch : Critical\n",
    b"AppID : Cisco Syslog Agent\n", b"The alarm is generated on ", b"```", b"RTMT Alert",
)  # fmt: skip
_MAIL = (
    b"Content-Type: ", b"Content-Transfer-Encoding: ", b"multipart/mixed; boundary=b", b"text/html",
    b"message/rfc822", b"text/plain; charset=", b"quoted-printable", b"base64", b"\r\n--b\r\n",
    b"\r\n--b--\r\n", b"utf-16", b"iso-8859-1", b"=3D", b"=\r\n", b"=?utf-8?q?=5B?=",
    b"<br>", b"<!--",
    b"-->", b"<script>", b"</script>", b"&#37;", b"&amp;", b"\r\n\r\n", b"\nFrom x\n", b"\n>From ",
    b"> ", b'; boundary="', b"\r\n ", b"\n.\r\n", b"\r\n..\r\n",
)  # fmt: skip
_YAML = (
    b"version: 1\n", b": ", b"- ", b"{", b"}", b"[", b"]", b", ", b"? ", b"&a ", b"*a",
    b"!!str ", b"|\n",
    b">\n", b"'", b'"', b"#", b"\n  ", b"\n    ", b"---\n", b"...\n", b"%YAML 1.1\n", b"<<: ", b"~",
    b"null", b"true", b"0x1", b"0o7", b"1e400", b".inf", b".nan", b"-1", b"5d", b"1h",
    b"32MiB", b"22:00",
    b"inputs", b"udp", b"port", b"clusters", b"nodes", b"name", b"stores", b"steps", b"alarms",
    b"\\x00", b"\\uD800", b'"\\ud800"', b"192.0.2.0/24", b"::", b"2001:db8::1", b"9" * 5000,
)  # fmt: skip
_PASTE = (
    b"admin:", b"admin:show ctl\n", b"admin:show itl\n", b"admin:show cert own tomcat\n",
    b"show cert list own\n", b"show network cluster\n", b"utils service list\n",
    b"show version active\n",
    b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n",
    b"CTL Record #:1\n", b"[STARTED]",
    b"Serial Number: ", b"To: ", b"SubjectDN: ", b"\x1b[", b"\r", b"```\n", b"tomcat-trust/a.pem: ",
    b"Publisher callmanager DBPub authenticated", b"Active Master Version: ",
)  # fmt: skip
_DER = (b"\x30\x82", b"\x02\x01", b"\x06\x03\x55\x04\x03", b"\x0c\x04", b"\x17\x0d", b"\x18\x0f",
        b"99991231235959Z", b"\x30\x80", b"\xff\xff", b"\x1b[2J", b"\r\n")  # fmt: skip
_JOURNAL = (b"\xf1WJ\x01", b"\xf1WJ", b"\x01", b"\xff\xff\xff\xff", b"[]", b"null", b"[" * 2000,
            b"1e999", b"NaN", b'["tcp","noise","",3]', b"99999999999999999999")  # fmt: skip

_FAMILIES = {
    "frames": (_frames, (b"5 <14>x", b" ", b"\n", b"\0", b"%UC_CERT-", b"65535 ", b"65536 ", b"0 ",
                         b"00005 ", b"1 ", b"99999 ", b"<189>1: ", b"\r\n", b"16384 ", b"16385 ")),
    "records": (records, _TEXT),
    "tags": (_tags, _TEXT),
    "bodies": (_bodies, _TEXT),
    "dates": (_dates, (b"Mon", b"Tu", b" Jan", b" Feb 29", b" 31", b" 00:00", b"24:60", b" UTC",
                       b" GMT+14:00", b" 2024", b" 9999", b" 0000", b" 1", b"  ")),
    "messages": (_messages, _TEXT + _MAIL),
    "alarms": (_alarms, _TEXT),
    "alerts": (_alerts, _TEXT),
    "mails": (_mails, _MAIL + _TEXT[:8]),
    "wire-mails": (_wire_mails, (b"\r\n.\r\n", b"\n.\n", b"\r.\r", b"\r\n..", b".", b"\r", b"\n",
                                 b"Message-ID: <a@example.test>", b"X-Watcher: example.test")),
    "settings": (_settings, (*_YAML, b"\0WATCHER_", b"__0__", b"WATCHER_INPUTS__", b"=")),
    "inventories": (_inventories, _YAML),
    "packs": (_packs, _YAML),
    "pastes": (_pastes, _PASTE),
    "certificates": (_certificates, _DER),
    "segments": (_segments, _JOURNAL),
}  # fmt: skip


def seeds(family: str, name: str = "") -> list[bytes]:
    """Return the inputs that a target begins with, those checked in for it first."""
    kept = sorted((CORPUS / name).glob("*")) if name else []
    made = [*(path.read_bytes() for path in kept), *_FAMILIES[family][0](), b""]
    return list(dict.fromkeys(data[:MOST] for data in made))


def tokens(family: str) -> tuple[bytes, ...]:
    """Return the words that inputs of a family are made of."""
    return tuple(_FAMILIES[family][1])


def chance_of(seed: int, name: str) -> random.Random:
    """Return the chance of one target in a run: each has its own, whatever the others do."""
    return random.Random(f"{seed}:{name}")  # noqa: S311 -- the same inputs for the same seed
