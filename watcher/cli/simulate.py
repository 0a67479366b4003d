"""`watcher simulate`: a cluster's alarm traffic, sent to listeners."""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from watcher.app import simulate as rehearsal
from watcher.app.files import write_output
from watcher.app.players import Sent, target_of
from watcher.cli.tables import console, print_json, print_table, say
from watcher.errors import InputError
from watcher.inventory.writer import write
from watcher.traffic.message import Form
from watcher.traffic.programme import Programme


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("simulate", help=_HELP)(simulate)


_HELP = """Play a cluster's alarm traffic against listeners, and say what must come of it.

Examples:

    watcher simulate --to udp:127.0.0.1:5514 --to smtp:127.0.0.1:2525 --noise 0.99

    watcher simulate -i site.yaml --nights 3 --write archive.log
"""


To = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="TARGET", help="udp:HOST:PORT, tcp:, tcp-lf:, tls: or smtp:."),
]
Site = Annotated[
    str | None, typer.Option("--inventory", "-i", metavar="FILE", help="Whose nodes play.")
]
Nodes = Annotated[int, typer.Option("--nodes", help="Without an inventory: invent so many nodes.")]
Nights = Annotated[int, typer.Option("--nights", min=1, help="How many days are played.")]
Start = Annotated[
    str | None,
    typer.Option("--start", metavar="TIME", help="First night. Default: the last one ends now."),
]
Rate = Annotated[
    str, typer.Option("--rate", metavar="N/s", help="Messages a second; 0: as fast as it goes.")
]
Speed = Annotated[
    float, typer.Option("--speed", min=0, help="Seconds of the story in one; instead of --rate.")
]
Noise = Annotated[float, typer.Option("--noise", help="Share of messages that are no alarm.")]
Again = Annotated[float, typer.Option("--again", help="Share of messages that come twice.")]
Disorder = Annotated[
    int, typer.Option("--disorder", min=0, help="By how many others a message is overtaken.")
]
Forms = Annotated[
    str, typer.Option("--forms", help=f"Some of {', '.join(Form)}; separated by commas.")
]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Messages at most.")]
Sources = Annotated[
    int, typer.Option("--sources", min=1, max=2000, help="Loopback addresses that nodes share.")
]
Sessions = Annotated[int, typer.Option("--sessions", min=1, max=100, help="Of SMTP, parallel.")]
ToAll = Annotated[
    bool, typer.Option("--to-all", help="Send each message to all targets, not to its node's.")
]
Recipient = Annotated[str, typer.Option("--recipient", help="Of the mails.")]
Authority = Annotated[
    str | None, typer.Option("--ca", metavar="FILE", help="Verify TLS listeners with it.")
]
Certificate = Annotated[
    str | None, typer.Option("--certificate", metavar="FILE", help="Ours for TLS, with its key.")
]
Remote = Annotated[
    bool, typer.Option("--allow-remote", help="Send to other machines, which may mind.")
]
Write = Annotated[
    str | None,
    typer.Option("--write", metavar="FILE", help="Write instead of send; mails if FILE is .mbox."),
]
WriteInventory = Annotated[
    str | None, typer.Option("--write-inventory", metavar="FILE", help="Write down who plays.")
]
Json = Annotated[bool, typer.Option("--json", help="Report for a program.")]


def simulate(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command line
    to: To = None,
    inventory: Site = None,
    nodes: Nodes = 8,
    nights: Nights = 1,
    start: Start = None,
    rate: Rate = "500/s",
    speed: Speed = 0.0,
    noise: Noise = 0.0,
    again: Again = 0.0,
    disorder: Disorder = 0,
    forms: Forms = "remote,alert,mail",
    seed: Seed = 1,
    limit: Limit = None,
    sources: Sources = 8,
    sessions: Sessions = 4,
    to_all: ToAll = False,  # noqa: FBT002 -- a flag of the command line
    recipient: Recipient = "watcher@localhost",
    ca: Authority = None,
    certificate: Certificate = None,
    allow_remote: Remote = False,  # noqa: FBT002
    write_to: Write = None,
    write_inventory: WriteInventory = None,
    json: Json = False,  # noqa: FBT002
) -> None:
    """Play, send or write, and report."""
    first = _start(start, nights)
    programme = Programme(
        seed=seed, start=first, nights=nights, forms=_forms(forms), noise=noise, again=again,
        disorder=disorder,
    )  # fmt: skip
    targets = tuple(target_of(text, allow_remote=allow_remote) for text in to or ())
    order = rehearsal.Rehearsal(
        programme=programme, targets=targets, inventory=inventory, nodes=nodes,
        rate=_rate(rate), speed=speed, limit=limit, sources=sources, to_all=to_all,
        recipient=recipient, sessions=sessions, authority=ca, certificate=certificate,
    )  # fmt: skip
    if write_inventory is not None:
        write_output(write_inventory, write(rehearsal.site_of(order), {}))
    if write_to is not None:
        outcome = rehearsal.write(order, write_to)
    elif targets:
        outcome = rehearsal.rehearse(order, _progress)
        sys.stderr.write("\n" if sys.stderr.isatty() else "")
    elif write_inventory is None:
        raise InputError("nowhere to send to", expected="--to udp:127.0.0.1:5514, or --write FILE")
    else:
        return
    _print_json(outcome) if json else _print(outcome)


def _progress(outcome: rehearsal.Outcome) -> None:
    if sys.stderr.isatty():
        rate = outcome.messages / max(outcome.seconds, 0.001)
        sys.stderr.write(f"\r{outcome.messages} messages, {rate:.0f}/s ")
        sys.stderr.flush()


def _print(outcome: rehearsal.Outcome) -> None:
    out = console()
    columns = (
        "Way",
        "Messages",
        "Octets",
        "Acknowledged",
        "Refused",
        "Broken",
        "p99 to the answer",
    )
    if outcome.ways:
        print_table(out, columns, [_row(sent) for sent in outcome.ways])
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(outcome.kinds.items()))
    rate = outcome.messages / max(outcome.seconds, 0.001)
    say(out, f"{outcome.messages} messages in {outcome.seconds:.1f} s ({rate:.0f}/s): {kinds}")
    say(
        out,
        f"{outcome.carried} certificate alarms of {outcome.events} events; "
        f"{outcome.again} messages were sent twice",
    )
    say(out, f"expect {len(outcome.cases)} cases" + (" (interrupted)" * outcome.interrupted))


def _row(sent: Sent) -> tuple[object, ...]:
    acknowledged = "-" if sent.acknowledged is None else sent.acknowledged
    wait = _p99(sent)
    told = "-" if wait is None else f"{wait * 1000:.0f} ms"
    return (
        sent.target, sent.messages, sent.octets, acknowledged, sent.refused, sent.broken, told,
    )  # fmt: skip


def _p99(sent: Sent) -> float | None:
    waits = sorted(sent.waits)
    return waits[len(waits) * 99 // 100] if waits else None


def _print_json(outcome: rehearsal.Outcome) -> None:
    ways: list[dict[str, Any]] = [
        {
            "target": str(sent.target),
            "messages": sent.messages,
            "octets": sent.octets,
            "acknowledged": sent.acknowledged,
            "refused": sent.refused,
            "broken": sent.broken,
            "answer_p99_seconds": _p99(sent),
        }
        for sent in outcome.ways
    ]
    print_json(
        {
            "seconds": round(outcome.seconds, 3),
            "messages": outcome.messages,
            "kinds": dict(sorted(outcome.kinds.items())),
            "forms": dict(sorted(outcome.forms.items())),
            "certificate_alarms": outcome.carried,
            "events": outcome.events,
            "again": outcome.again,
            "expected_cases": len(outcome.cases),
            "interrupted": outcome.interrupted,
            "ways": ways,
        }
    )


def _forms(text: str) -> tuple[Form, ...]:
    try:
        return tuple(dict.fromkeys(Form(part.strip()) for part in text.split(",")))
    except ValueError as error:
        raise InputError(f"--forms: {error}", expected=f"some of {', '.join(Form)}") from None


def _rate(text: str) -> float:
    try:
        rate = float(text.removesuffix("/s"))
    except ValueError:
        rate = -1.0
    if not 0 <= rate < float("inf"):
        raise InputError(f"--rate: {text!r} is no rate", expected="a number such as 500/s, or 0")
    return rate


def _start(text: str | None, nights: int) -> datetime:
    if text is None:
        return rehearsal.first_night(nights)
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        expected = "a date such as 2026-11-20, or 2026-11-20T01:00Z"
        raise InputError(f"--start: {text!r} is no time", expected=expected) from None
    return start if start.tzinfo else start.replace(tzinfo=UTC)
