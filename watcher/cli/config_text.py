"""What `watcher config check` says of what we send, to whom, and where the state is."""

from collections.abc import Iterator, Sequence

from watcher.app.settings import Prepared
from watcher.cli.tables import counted
from watcher.settings.digest import NoticeList
from watcher.settings.schema import Settings
from watcher.settings.tickets import JiraSettings, Remote, RtSettings


def lines(prepared: Prepared) -> Iterator[str]:
    """Yield a line for each thing that a slip would silence; what is off is said to be off."""
    settings = prepared.settings
    yield f"tickets: {_tickets(prepared)}"
    yield f"relay: {_relay(settings)}"
    yield from _digests(settings)
    yield from _notices(settings)
    made = "" if prepared.state_dir.exists() else ", made at the first start"
    yield f"state: {prepared.state_dir}{made}"


def _tickets(prepared: Prepared) -> str:
    tickets = prepared.settings.tickets
    if not tickets.used():
        return "none are made"
    systems = [f"{name} {_place(one)}" for name, one in tickets.remote().items()]
    if tickets.directory:
        systems.insert(0, f"folders in {prepared.ticket_folder}")
    if tickets.mail is not None:
        systems.append(f"mail to {counted(len(tickets.mail.to), 'recipient')}")
    end = "closed once evidence resolved all cases" if tickets.close else "never closed by us"
    return f"{'; '.join(systems)}; {end}"


def _place(system: Remote) -> str:
    match system:
        case JiraSettings():
            return f"{system.url} (project {system.project})"
        case RtSettings():
            return f"{system.url} (queue {system.queue})"
        case _:
            return system.url


def _relay(settings: Settings) -> str:
    relay = settings.relay
    if relay is None:
        return "none, no mail leaves us"
    who = f", as {relay.user}" if relay.user else ""
    return f"{relay.host} port {relay.port}, {relay.security.value}{who}, from {relay.sender}"


def _digests(settings: Settings) -> Iterator[str]:
    told = settings.digest
    if not told.lists:
        yield "digest: sent to nobody, there is no list"
    quiet = "" if told.quiet else ", not when all is quiet"
    for one in told.lists:
        people = counted(len(one.to), "recipient")
        when = f"{told.day.value} {told.time} {told.time_zone}"
        yield f"digest {one.name}: {when}, {people}, {_clusters(one.clusters)}{quiet}"


def _notices(settings: Settings) -> Iterator[str]:
    if not settings.notifications.lists:
        yield "notifications: sent to nobody, there is no list"
    for one in settings.notifications.lists:
        days = ", ".join(map(str, one.days))
        yield f"notifications {one.name}: {_told(one)}, {_clusters(one.clusters)}, days left {days}"


def _told(one: NoticeList) -> str:
    people, chats = counted(len(one.to), "recipient"), counted(len(one.chat), "chat")
    return ", ".join(text for text, given in ((people, one.to), (chats, one.chat)) if given)


def _clusters(names: Sequence[str]) -> str:
    return f"clusters: {', '.join(names)}" if names else "all clusters"
