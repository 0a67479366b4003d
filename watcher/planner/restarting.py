"""One run of restarts for several stores that change together: each service once at a place."""

from collections.abc import Sequence
from dataclasses import replace

from watcher.planner.halves import Deed
from watcher.planner.jobs import Job
from watcher.planner.phases import Asked, add, asked, if_running
from watcher.planner.sketch import Ground, Sketch, Thread
from watcher.planner.terrain import Place
from watcher.rules.store import Need, Role
from watcher.rules.work import RunsOn

_LEAD = (Role.FILE_SIGNER, Role.VERIFIER, Role.LSC_ISSUER)
"""Of tables as long as each other, whose gives the order, and the word for why."""


def restart_for(
    thread: Thread, deeds: Sequence[Deed], ground: Ground, stopped: Place | None = None
) -> None:
    """Draw the restarts that all these renewals ask for, in the order of the tables (O17).

    Every TFTP server but the one that is `stopped` reads its lists anew, whatever the table of the
    release leaves open (D3): what phones fetch at the gate must name the new certificates.
    """
    ordered = sorted(deeds, key=lambda deed: (-len(_table(deed.job, ground)), _lead(deed.job)))
    tables = [asked(d.job, ground, _changed(d), stopped) for d in ordered]
    found: Asked = {}
    for table in tables:
        for (service, _), sketch in table.items():
            add(found, service, sketch)
    _lists_name_it(found, ordered[0].job, ground, stopped)
    first = _table(ordered[0].job, ground)
    others = [service for service, _ in found if service not in first]
    for service in dict.fromkeys([*others, *first]):
        for place in ground.terrain.in_order(p for name, p in found if name == service):
            if not _covered(found, service, found[service, place]):
                thread.then(found[service, place])


def _table(job: Job, ground: Ground) -> list[str]:
    """Return the services of a store's restart table on this release, in its order."""
    release = ground.terrain.release
    rows = (row for row in job.store.restarts if release is None or row.releases.matches(release))
    return list(dict.fromkeys(row.service for row in rows))


def _lead(job: Job) -> int:
    return _LEAD.index(job.store.role) if job.store.role in _LEAD else len(_LEAD)


def _changed(deed: Deed) -> tuple[Place, ...]:
    """Return the nodes that get a new certificate: all when one serves the cluster."""
    shared = set(deed.job.changed) - set(deed.job.places)
    return deed.job.changed if shared else deed.places


def _lists_name_it(found: Asked, job: Job, ground: Ground, stopped: Place | None) -> None:
    tftp = tftp_service(job, ground)
    if tftp is None:
        return
    for place in ground.terrain.running(ground.catalogue.service(tftp)):
        runs = stopped is None or (place != stopped and place.node is not None)
        earlier = found.get((tftp, place))
        if runs and (earlier is None or earlier.need is not Need.REQUIRED):
            again = Sketch("restart-service", place, store=job.name, service=tftp)
            found[tftp, place] = replace(again, only_if=if_running(RunsOn.TFTP, place))


def tftp_service(job: Job, ground: Ground) -> str | None:
    """Return the service of a store's restart table that hands out lists."""
    for row in job.store.restarts:
        if ground.catalogue.service(row.service).runs_on is RunsOn.TFTP:
            return row.service
    return None


def _covered(found: Asked, service: str, sketch: Sketch) -> bool:
    """Tell whether an offer to restart is moot, because another store needs that restart."""
    if sketch.need is Need.REQUIRED:
        return False
    return any(
        name == service and one.need is Need.REQUIRED and set(one.only_if) <= set(sketch.only_if)
        for (name, _), one in found.items()
    )
