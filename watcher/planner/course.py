"""The course of a change for what phones trust: one function for each way through it."""

from collections.abc import Sequence
from dataclasses import replace

from watcher.planner.halves import serves_tftp
from watcher.planner.jobs import Job
from watcher.planner.phases import (
    Obtained,
    barrier,
    check_copies,
    draw,
    draw_item,
    renew,
    restarts,
    update_ctl,
)
from watcher.planner.restarting import restart_for, tftp_service
from watcher.planner.sketch import Ground, Sketch, Thread
from watcher.planner.stages import Ctl, Stage, all_at_once
from watcher.planner.terrain import ALL_PHONES, Place
from watcher.planner.ways import (
    LOCALKEY_DETOUR,
    ROLLBACK,
    SPECIFIC_ORDER,
    Choice,
    alone,
    places_known,
    serial,
    stages_of,
)
from watcher.rules.select import CONDITION_WORDS, select
from watcher.rules.store import Need, Phase, Role, Store
from watcher.rules.terms import Condition


def walk(
    thread: Thread, jobs: Sequence[Job], choice: Choice, ground: Ground, obtained: Obtained
) -> None:
    """Draw all phone-facing jobs that belong into the first part."""
    facing = [job for job in jobs if not job.recovery]
    if choice.way == ROLLBACK:
        _rollback(thread, facing, ground, obtained)
    elif choice.way == SPECIFIC_ORDER or _careful_detour(facing, choice, ground):
        _store_after_store(thread, facing, choice, ground, obtained)
    else:
        _in_stages(thread, stages_of(choice.way, facing, ground), ground, obtained)
        _afterwards(thread, facing, ground, obtained)
    for job in jobs:
        if job.recovery:
            _recovery(thread, job, ground, obtained)


def _recovery(thread: Thread, job: Job, ground: Ground, obtained: Obtained) -> None:
    """Draw the recovery certificate: in the store's own order, or under a CTL that a token signs.

    There the CTL names the new signer before phones meet it (TV-13), and nothing else can re-sign
    it.
    """
    thread.begin(job.name)
    facts = ground.terrain.facts
    token = facts.get(Condition.MIXED) and facts.get(Condition.ETOKEN)
    if serial(ground) or not token:
        draw(thread, job, ground, obtained)
        return
    _in_stages(thread, [replace(all_at_once([job]), ctl=Ctl.ALWAYS)], ground, obtained)
    _afterwards(thread, [job], ground, obtained)


def _careful_detour(jobs: Sequence[Job], choice: Choice, ground: Ground) -> bool:
    return choice.way == LOCALKEY_DETOUR and not places_known(jobs, ground)


def _in_stages(thread: Thread, found: Sequence[Stage], ground: Ground, obtained: Obtained) -> None:
    for stage in found:
        thread.begin(stage.title)
        _move_tftp(thread, "stop-service", stage, ground, _WHY_STOP)
        _change(thread, stage, ground, obtained)
        if stage.pause:
            _move_tftp(thread, "start-service", stage, ground, _WHY_PAUSE)
        barrier(thread, light=stage.light)
        if stage.stop:
            _move_tftp(thread, "start-service", stage, ground)
            thread.then(Sketch("canary", ALL_PHONES, note=_WHY_CANARY))


def _move_tftp(
    thread: Thread, move: str, stage: Stage, ground: Ground, note: str | None = None
) -> None:
    place, signer = stage.stop or stage.pause, _signer(stage)
    if place is not None:
        service = _tftp_of(stage, ground)
        thread.then(Sketch(move, place, store=signer, service=service, note=note))


def _change(thread: Thread, stage: Stage, ground: Ground, obtained: Obtained) -> None:
    """Draw the renewals of a stage, the CTL before any restart (O13), and the restarts."""
    for deed in stage.deeds:
        for place in deed.places:
            renew(thread, deed.job, place, ground, obtained)
    for deed in stage.deeds:
        check_copies(thread, deed.job, ground)
    _ctl(thread, stage, ground)
    if stage.deeds:
        restart_for(thread, stage.deeds, ground, stage.stop or stage.pause)
    else:
        restart_lists(thread, ground)


def _ctl(thread: Thread, stage: Stage, ground: Ground) -> None:
    if stage.ctl is Ctl.LOCALKEY:
        thread.then(Sketch("ctl-localkey", ground.terrain.publisher, store=_signer(stage)))
    elif stage.ctl is Ctl.ALWAYS:
        update_ctl(thread, ground)
    elif any(_in_ctl(deed.job) for deed in stage.deeds):
        _ctl_if_mixed(thread, ground)


def _in_ctl(job: Job) -> bool:
    return any(item.phase is Phase.UPDATE_CTL for item in job.store.procedure)


def _signer(stage: Stage) -> str | None:
    """Return the store that a stage is about: the one that signs lists, or else the first."""
    jobs = [deed.job for deed in stage.deeds]
    signers = [job for job in jobs if job.store.role is Role.FILE_SIGNER]
    return next((job.name for job in [*signers, *jobs]), None)


def _tftp_of(stage: Stage, ground: Ground) -> str | None:
    services = (tftp_service(deed.job, ground) for deed in stage.deeds)
    return next((service for service in services if service), None)


def _afterwards(thread: Thread, jobs: Sequence[Job], ground: Ground, obtained: Obtained) -> None:
    for job in jobs:
        thread.begin(f"{job.name}: afterwards" if len(jobs) > 1 else job.name)
        _rest_of_procedure(thread, job, ground, obtained)


def _store_after_store(
    thread: Thread, jobs: Sequence[Job], choice: Choice, ground: Ground, obtained: Obtained
) -> None:
    """Draw each store by itself: for clusters of which it is not known what runs where."""
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
    servers = [place for place in job.places if serves_tftp(place) is not False or place.publisher]
    others = tuple(place for place in job.places if place not in servers)
    last = servers[-1] if servers else None
    for place in servers:
        if choice.way == LOCALKEY_DETOUR and place.publisher:
            _detour(thread, job, place, ground, obtained)
        elif serves_tftp(place) is False or alone(ground):
            _together(thread, job, (place,), ground, obtained)
        else:
            _one_server(thread, job, place, ground, obtained)
            if place is not last:
                thread.then(Sketch("canary", ALL_PHONES, note=_WHY_CANARY))
    if last is not None and serves_tftp(last) is not False and not alone(ground):
        # The phones hold the list of the server that stood in; before anything else changes
        # they must hold the list of their own first server again.
        barrier(thread)
    if others:
        _together(thread, job, others, ground, obtained)
    _rest_of_procedure(thread, job, ground, obtained)


def _one_server(thread: Thread, job: Job, place: Place, ground: Ground, obtained: Obtained) -> None:
    words = () if serves_tftp(place) else ("this node is a TFTP server",)
    tftp = tftp_service(job, ground)
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
    tftp = tftp_service(job, ground)
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
_WHY_PAUSE = (
    "Only now can every TVS vouch for the list that it hands out. Phones that ask this server "
    "first take it at the reset."
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


def _ctl_if_mixed(thread: Thread, ground: Ground) -> None:
    mixed = ground.terrain.facts.get(Condition.MIXED)
    if mixed is not False:
        update_ctl(thread, ground, () if mixed else (CONDITION_WORDS[Condition.MIXED],))


def _detour(thread: Thread, job: Job, place: Place, ground: Ground, obtained: Obtained) -> None:
    """Draw TV-52: the CTL is re-signed with a key phones hold before they meet the new one."""
    renew(thread, job, place, ground, obtained)
    thread.then(Sketch("ctl-localkey", ground.terrain.publisher, store=job.name))
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
        if item.phase not in done and item.step not in _LOCALKEYS:
            draw_item(thread, item, job, ground, obtained)


_LOCALKEYS = ("itl-localkey", "ctl-localkey")


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
    change = all_at_once(jobs)
    thread.begin(change.title)
    _change(thread, change, ground, obtained)
    thread.then(Sketch("wait-blank", ALL_PHONES))
    thread.begin("Fill the ITL again")
    thread.then(Sketch("rollback-off", publisher))
    restart_lists(thread, ground)
    barrier(thread)
    _afterwards(thread, jobs, ground, obtained)


def second_part(thread: Thread, jobs: Sequence[Job], ground: Ground, obtained: Obtained) -> None:
    """Draw the recovery certificate in a window of its own (O4, O5)."""
    publisher = ground.terrain.publisher
    thread.begin("Second window: make sure of the first", part=2)
    thread.then(Sketch("wait-registrations", ALL_PHONES, note=_WHY_SECOND))
    thread.then(Sketch("record-trust-lists", publisher))
    thread.then(Sketch("backup", publisher))
    thread.then(Sketch("verify-backup", publisher))
    for job in jobs:
        _recovery(thread, job, ground, obtained)


_WHY_SECOND = (
    "Do this part in another maintenance window, when every phone that was off has been seen "
    "again. This certificate is the anchor for everything the first part changed."
)
