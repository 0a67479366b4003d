"""The course of a change for what phones trust: one function for each way through it."""

from collections.abc import Sequence
from dataclasses import replace

from watcher.inventory.schema import Duty
from watcher.planner.jobs import Job
from watcher.planner.phases import (
    Obtained,
    barrier,
    check_copies,
    draw,
    draw_item,
    renew,
    renew_all,
    restarts,
    update_ctl,
)
from watcher.planner.sketch import Ground, Sketch, Thread
from watcher.planner.terrain import ALL_PHONES, Place
from watcher.planner.ways import LOCALKEY_DETOUR, ROLLBACK, Choice, alone, serial
from watcher.rules.select import CONDITION_WORDS, select
from watcher.rules.store import Need, Phase, Role, Store
from watcher.rules.terms import Condition
from watcher.rules.work import RunsOn


def walk(
    thread: Thread, jobs: Sequence[Job], choice: Choice, ground: Ground, obtained: Obtained
) -> None:
    """Draw all phone-facing jobs that belong into the first part."""
    if choice.way == ROLLBACK:
        _rollback(thread, jobs, ground, obtained)
        return
    for job in jobs:
        thread.begin(job.name)
        if serial(ground) and job.store.role is Role.FILE_SIGNER and job.via is None:
            _one_tftp_at_a_time(thread, job, choice, ground, obtained)
        else:
            draw(thread, job, ground, obtained)


def _one_tftp_at_a_time(
    thread: Thread, job: Job, choice: Choice, ground: Ground, obtained: Obtained
) -> None:
    """Draw O2: a server's certificate changes while another one still serves what phones know.

    Nodes that sign no lists share one barrier at the end; the publisher is first of all (O1).
    """
    servers = [place for place in job.places if _is_tftp(place) is not False or place.publisher]
    others = tuple(place for place in job.places if place not in servers)
    last = servers[-1] if servers else None
    for place in servers:
        if choice.way == LOCALKEY_DETOUR and place.publisher:
            _detour(thread, job, place, ground, obtained)
        elif _is_tftp(place) is False or alone(ground):
            _together(thread, job, (place,), ground, obtained)
        else:
            _one_server(thread, job, place, ground, obtained)
            if place is not last:
                thread.then(Sketch("canary", ALL_PHONES, note=_WHY_CANARY))
    if last is not None and _is_tftp(last) is not False and not alone(ground):
        # The phones hold the list of the server that stood in; before anything else changes
        # they must hold the list of their own first server again.
        barrier(thread)
    if others:
        _together(thread, job, others, ground, obtained)
    _rest_of_procedure(thread, job, ground, obtained)


def _one_server(thread: Thread, job: Job, place: Place, ground: Ground, obtained: Obtained) -> None:
    words = () if _is_tftp(place) else ("this node is a TFTP server",)
    tftp = _tftp_service(job, ground)
    move = Sketch("stop-service", place, store=job.name, service=tftp, only_if=words)
    thread.then(replace(move, note=f"{_WHY_STOP} {_IF_ALONE}" if words else _WHY_STOP))
    renew(thread, job, place, ground, obtained)
    check_copies(thread, job, ground)
    _ctl_if_mixed(thread, ground)
    restarts(thread, job, ground, (place,), skip=place)
    _stand_ins(thread, job, place, ground)
    barrier(thread)
    thread.then(replace(move, template="start-service"))


def _stand_ins(thread: Thread, job: Job, place: Place, ground: Ground) -> None:
    """Restart TFTP on the servers that stand in, so that their lists name the new certificate."""
    tftp = _tftp_service(job, ground)
    if tftp is None:
        return
    for server in ground.terrain.running(ground.catalogue.service(tftp)):
        other = server if server.node else Place("each other TFTP server")
        if other != place:
            again = Sketch("restart-service", other, store=job.name, service=tftp)
            thread.then(replace(again, note=_WHY_STAND_IN))


def _together(
    thread: Thread, job: Job, places: tuple[Place, ...], ground: Ground, obtained: Obtained
) -> None:
    for place in places:
        renew(thread, job, place, ground, obtained)
    check_copies(thread, job, ground)
    _ctl_if_mixed(thread, ground)
    restarts(thread, job, ground, places)
    barrier(thread)


_WHY_STOP = (
    "While its TFTP service is stopped, phones fetch their lists from another TFTP server whose "
    "key they already trust."
)
_WHY_STAND_IN = (
    "Its lists must name the new certificate. While the only running TFTP server restarts, a phone "
    "that boots waits; this takes a minute or two."
)
_IF_ALONE = (
    "If there is no other TFTP server, do not go on: answer the question on TFTP servers and draw "
    "the plan again."
)
_WHY_BLANK = (
    "Before any phone is reset: what the server hands out must be blank, else nothing is won."
)
_WHY_CANARY = (
    "The canary phone must take the list of the server that was just started. Only then is the "
    "next server touched."
)


def _is_tftp(place: Place) -> bool | None:
    return place.node.has(Duty.TFTP) if place.node else None


def _tftp_service(job: Job, ground: Ground) -> str | None:
    for row in job.store.restarts:
        if ground.catalogue.service(row.service).runs_on is RunsOn.TFTP:
            return row.service
    return None


def _ctl_if_mixed(thread: Thread, ground: Ground) -> None:
    mixed = ground.terrain.facts.get(Condition.MIXED)
    if mixed is not False:
        update_ctl(thread, ground, () if mixed else (CONDITION_WORDS[Condition.MIXED],))


def _detour(thread: Thread, job: Job, place: Place, ground: Ground, obtained: Obtained) -> None:
    """Draw TV-52: the CTL is re-signed with a key phones hold before they meet the new one."""
    renew(thread, job, place, ground, obtained)
    thread.then(Sketch("ctl-localkey", ground.terrain.publisher, store=job.name))
    restart_lists(thread, ground)
    barrier(thread)
    restarts(thread, job, ground, (place,))
    barrier(thread)
    update_ctl(thread, ground)
    restart_lists(thread, ground)
    barrier(thread)


def restart_lists(thread: Thread, ground: Ground) -> None:
    """Restart what hands out and vouches for trust lists: the verifier's own restart table."""
    for name, store in ground.catalogue.stores.items():
        if store.role is Role.VERIFIER:
            _every_node(thread, name, store, ground)


def _every_node(thread: Thread, name: str, store: Store, ground: Ground) -> None:
    for row in select(store.restarts, ground.terrain.release, ground.terrain.facts):
        if row.item.need is not Need.REQUIRED:
            continue
        service = row.item.service
        for place in ground.terrain.running(ground.catalogue.service(service)):
            thread.then(Sketch("restart-service", place, store=name, service=service))


def _rest_of_procedure(thread: Thread, job: Job, ground: Ground, obtained: Obtained) -> None:
    """Draw what a procedure holds beside renewal, CTL, restarts and barriers."""
    done = (Phase.RENEW, Phase.UPDATE_CTL, Phase.RESTARTS, Phase.RESET_PHONES)
    for item in job.store.procedure:
        if item.phase not in done:
            draw_item(thread, item, job, ground, obtained)


def _rollback(thread: Thread, jobs: Sequence[Job], ground: Ground, obtained: Obtained) -> None:
    """Draw seed way 1: hand out an empty ITL, change, hand out the full one again."""
    publisher = ground.terrain.publisher
    thread.begin("Empty the ITL")
    thread.then(Sketch("rollback-on", publisher))
    restart_lists(thread, ground)
    servers = ground.terrain.tftp_servers or (publisher,)
    thread.each(Sketch("verify-blank-itl", publisher, note=_WHY_BLANK), servers)
    barrier(thread, gate="wait-blank")
    thread.each(Sketch("verify-blank-itl", publisher), servers)
    for job in jobs:
        thread.begin(job.name)
        renew_all(thread, job, ground, obtained)
        restarts(thread, job, ground, job.changed)
        thread.then(Sketch("wait-blank", ALL_PHONES))
    thread.begin("Fill the ITL again")
    thread.then(Sketch("rollback-off", publisher))
    restart_lists(thread, ground)
    barrier(thread)
    for job in jobs:
        thread.begin(f"{job.name}: afterwards")
        _rest_of_procedure(thread, job, ground, obtained)


def second_part(thread: Thread, jobs: Sequence[Job], ground: Ground, obtained: Obtained) -> None:
    """Draw the recovery certificate in a window of its own (O4, O5)."""
    publisher = ground.terrain.publisher
    thread.begin("Second window: make sure of the first", part=2)
    thread.then(Sketch("wait-registrations", ALL_PHONES, note=_WHY_SECOND))
    thread.then(Sketch("record-trust-lists", publisher))
    thread.then(Sketch("backup", publisher))
    thread.then(Sketch("verify-backup", publisher))
    for job in jobs:
        thread.begin(job.name)
        draw(thread, job, ground, obtained)


_WHY_SECOND = (
    "Do this part in another maintenance window, when every phone that was off has been seen "
    "again. This certificate is the anchor for everything the first part changed."
)
