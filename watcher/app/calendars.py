"""Calendar files of clusters: what the inventory names, and what a command line adds."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from watcher.app.files import STANDARD_INPUT
from watcher.app.texts import read_in_force
from watcher.errors import InputError, Location
from watcher.inventory.lookup import find_cluster
from watcher.inventory.schema import Inventory
from watcher.rules.document import Path as Key
from watcher.rules.document import read_document
from watcher.slots.calendar import Calendar

Calendars = Mapping[str, tuple[Calendar, ...]]
"""The calendars of each cluster, by its name."""


def site_calendars(name: str, inventory: Inventory) -> Calendars:
    """Read the calendars that an inventory file names, each at most 1 MiB.

    Relative names begin at the inventory's folder. Raises InputError for the first fault: in the
    inventory where a file cannot be read, else in the file.
    """
    known: dict[str, Calendar] = {}
    for number, cluster in enumerate(inventory.clusters):
        for place, one in enumerate(cluster.calendars):
            if one not in known:
                file = str(Path(name).parent / one)
                text = _text(file, name, ("clusters", number, "calendars", place))
                known[one] = _calendar(file, text)
    return {
        cluster.name: tuple(known[one] for one in cluster.calendars)
        for cluster in inventory.clusters
    }


def _calendar(file: str, text: str) -> Calendar:
    # The library takes 3 MiB in both halves of the daemon; few sites have a calendar.
    from watcher.slots.calendar_file import read_calendar  # noqa: PLC0415

    return read_calendar(file, text)


def _text(file: str, name: str, path: Key) -> str:
    try:
        return read_in_force(file)
    except InputError as error:
        if name == STANDARD_INPUT or error.where != Location(file):
            raise  # it was read: the place is in the file
        where = read_document(name, read_in_force(name)).where(path)
        problem = f"the calendar {file}: {error.problem}"
        raise InputError(problem, where=where, expected=error.expected) from error


def given_calendars(
    given: Sequence[str], inventory: Inventory, clusters: Sequence[str]
) -> Calendars:
    """Read the calendars of a command line: `CLUSTER=FILE`, or `FILE` where there is one cluster.

    `clusters` are those whose plans are asked about.
    """
    found: dict[str, tuple[Calendar, ...]] = {}
    for cluster, file in _told(given, inventory, clusters):
        found[cluster] = (*found.get(cluster, ()), _calendar(file, read_in_force(file)))
    return found


def _told(
    given: Sequence[str], inventory: Inventory, clusters: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield cluster and file of each; before a `=` stands a cluster, but in a file's own name."""
    for one in given:
        before, sign, file = one.partition("=")
        if sign and not Path(one).exists():
            known = find_cluster(inventory, before)
            if known is None:
                names = " or ".join(cluster.name for cluster in inventory.clusters)
                raise InputError(f"--calendar {one}: no cluster {before}", expected=names)
            yield known.name, file
        elif len(clusters) > 1:
            problem = f"--calendar {one}: which of {len(clusters)} clusters it is for is not said"
            raise InputError(problem, expected=f"CLUSTER={one}")
        else:
            yield from ((cluster, one) for cluster in clusters)
