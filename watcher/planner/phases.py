"""The building blocks of a procedure, drawn as steps: renewal, CTL, restarts, barriers."""

from dataclasses import replace

from watcher.planner.jobs import Job
from watcher.planner.sketch import Ground, Sketch, Thread, joined
from watcher.planner.terrain import ALL_PHONES, EACH_NODE, OUTSIDE, Place, together
from watcher.rules.select import CONDITION_WORDS, Facts, Selected, select, unknowns
from watcher.rules.store import Need, On, Phase, PhoneReset, ProcedureItem, Renewal, Restart
from watcher.rules.terms import Condition
from watcher.rules.work import RunsOn

Obtained = dict[tuple[str, Place], int]
"""Handles of the steps that bring a signed certificate, by store and place."""


def draw(thread: Thread, job: Job, ground: Ground, obtained: Obtained) -> None:
    """Draw a store's whole procedure."""
    for item in job.store.procedure:
        draw_item(thread, item, job, ground, obtained)


def draw_item(  # noqa: PLR0913 -- the last one is rare and named at every call
    thread: Thread, item: ProcedureItem, job: Job, ground: Ground, obtained: Obtained, *,
    only_if: tuple[str, ...] = (),
) -> None:  # fmt: skip
    """Draw one phase, unless it does not apply here; `only_if` holds for all of it."""
    unknown = unknowns(item, ground.terrain.release, ground.terrain.facts)
    if unknown is None:
        return
    only_if = joined(only_if, unknown)
    match item.phase:
        case Phase.STEP:
            _step(thread, item, job, ground, only_if)
        case Phase.RENEW:
            renew_all(thread, job, ground, obtained)
        case Phase.RESTARTS:
            restarts(thread, job, ground, job.changed, only_if=only_if)
        case Phase.UPDATE_CTL:
            update_ctl(thread, ground, only_if)
        case Phase.RESET_PHONES:
            barrier(thread, only_if)
        case Phase.TELL:
            tell(thread, job, ground, only_if)


def _step(
    thread: Thread, item: ProcedureItem, job: Job, ground: Ground, only_if: tuple[str, ...]
) -> None:
    terrain = ground.terrain
    places = {
        On.PUBLISHER: (terrain.publisher,),
        On.CHANGED: job.changed,
        On.EVERY: (
            Place(terrain.every_node[0].label if len(terrain.every_node) == 1 else "each node"),
        ),
        On.SUBSCRIBERS: tuple(p for p in terrain.every_node if not p.publisher),
    }[item.on]
    thread.each(Sketch(item.step or "", places[0], store=job.name, only_if=only_if), places)


def renew_all(thread: Thread, job: Job, ground: Ground, obtained: Obtained) -> None:
    """Draw the renewal at every place, publisher first (O1)."""
    for place in job.places:
        renew(thread, job, place, ground, obtained)
    check_copies(thread, job, ground)


def check_copies(thread: Thread, job: Job, ground: Ground) -> None:
    """Draw the look at the trust stores into which the system puts a renewed certificate."""
    if job.via is None and select(
        job.store.copies_to, ground.terrain.release, ground.terrain.facts
    ):
        thread.then(Sketch("verify-trust-copies", EACH_NODE, store=job.name))


def renew(thread: Thread, job: Job, place: Place, ground: Ground, obtained: Obtained) -> None:
    """Draw the renewal of one certificate; what is CA-signed is never regenerated (S1)."""
    if job.via is not None:
        thread.then(_at("reuse-certificate", job, place))
        thread.then(_at("verify-reuse", job, place))
        return
    kind = renewal_of(job, ground)
    if kind is Renewal.ROTATE_KEY:
        thread.then(_at("rotate-key", job, place))
    elif kind is Renewal.REGENERATE:
        _regenerate_or_upload(thread, job, place, ground, obtained)
        thread.then(_at("verify-certificate", job, place))


def renewal_of(job: Job, ground: Ground) -> Renewal:
    """Return what is done to a certificate of the store."""
    chosen = select(job.store.renewal, ground.terrain.release, ground.terrain.facts)
    return chosen[0].item.value if chosen else Renewal.NONE


def _regenerate_or_upload(
    thread: Thread, job: Job, place: Place, ground: Ground, obtained: Obtained
) -> None:
    self_signed, ca_signed = issuer_facts(job, place, ground)
    note = _own_resets(job, place, ground)
    if self_signed is not False:
        only_if = () if self_signed else (CONDITION_WORDS[Condition.SELF_SIGNED],)
        thread.then(replace(_at("regenerate", job, place), only_if=only_if, note=note))
    if ca_signed is not False:
        handle = obtained.get((job.name, place))
        waits = () if handle is None else (handle,)
        thread.then(signed(_at("upload-chain", job, place), sure=ca_signed), *waits)
        _chain_for_reuse(thread, job, place, ground)
        upload = replace(_at("upload-certificate", job, place), note=note)
        thread.then(signed(upload, sure=ca_signed))


def signed(sketch: Sketch, *, sure: bool | None) -> Sketch:
    """Return a step of the branch for CA-signed certificates; the other branch is more common."""
    if sure:
        return sketch
    return replace(sketch, only_if=(CONDITION_WORDS[Condition.CA_SIGNED],), alternative=True)


def _chain_for_reuse(thread: Thread, job: Job, place: Place, ground: Ground) -> None:
    """Draw the CA chain for the store that reuses the certificate: before it is needed there."""
    listed = ground.terrain.certificate(job.name, place.name)
    if listed is not None and listed.reused_for in ground.catalogue.stores:
        thread.then(Sketch("upload-chain", place, store=listed.reused_for))


OWN_RESETS = (
    "The system may now reset phones by itself, before the canary phone. That is not the gate: "
    "go on with the next step at once."
)
"""The note at a renewal after which phones are reset, in a plan that gives them what is new."""


def _own_resets(job: Job, place: Place, ground: Ground) -> str | None:
    """Return the warning that the system resets phones by itself, which is not the gate.

    Where an answer that is missing decides, phones may trust what the plan takes for no matter of
    theirs.
    """
    release, facts = ground.terrain.release, place_facts(job.name, place, ground)
    answers = select(job.store.resets_phones, release, facts)
    if not answers or answers[0].item.value is not PhoneReset.AUTOMATIC:
        return None
    sure = next((one.item.value for one in answers if not one.only_if), None)
    if job.phone_facing or (sure is PhoneReset.AUTOMATIC):
        return OWN_RESETS
    return (
        f"If {' and '.join(answers[0].only_if)}, stop: phones trust it then, the system resets "
        "them by itself, and this plan does not give them what is new. Put that into the "
        "inventory, and make the plan again."
    )


def issuer_facts(job: Job, place: Place, ground: Ground) -> tuple[bool | None, bool | None]:
    """Tell whether the certificate is self-signed, and whether a CA signed it."""
    facts = place_facts(job.name, place, ground)
    return facts.get(Condition.SELF_SIGNED), facts.get(Condition.CA_SIGNED)


def place_facts(store: str, place: Place, ground: Ground) -> Facts:
    """Return the facts of the certificate of a store at a place."""
    terrain = ground.terrain
    return terrain.facts_for(terrain.certificate(store, place.name))


def common_facts(job: Job, places: tuple[Place, ...], ground: Ground) -> Facts:
    """Return what holds for the certificates at all places; where they differ it is not known."""
    each = [place_facts(job.name, place, ground) for place in places] or [ground.terrain.facts]
    return {
        condition: each[0].get(condition)
        if all(facts.get(condition) is each[0].get(condition) for facts in each)
        else None
        for condition in Condition
    }


def _at(template: str, job: Job, place: Place) -> Sketch:
    return Sketch(template, place, store=job.name)


def update_ctl(thread: Thread, ground: Ground, only_if: tuple[str, ...] = ()) -> None:
    """Draw the CTL update on the publisher (O13), by token or without, then look at it."""
    facts, publisher = ground.terrain.facts, ground.terrain.publisher
    for template, condition in (
        ("ctl-update", Condition.TOKENLESS),
        ("ctl-update-etoken", Condition.ETOKEN),
    ):
        if facts.get(condition) is False:
            continue
        words = () if facts.get(condition) else (CONDITION_WORDS[condition],)
        thread.then(Sketch(template, publisher, only_if=joined(only_if, words)))
    thread.then(Sketch("verify-ctl", publisher, only_if=only_if))


def restarts(  # noqa: PLR0913 -- the last two are rare and named at every call
    thread: Thread, job: Job, ground: Ground, changed: tuple[Place, ...], *,
    skip: Place | None = None, only_if: tuple[str, ...] = (),
) -> None:  # fmt: skip
    """Draw a store's restart table, row by row, publisher first.

    `skip` is a node whose TFTP service stays stopped.
    """
    for sketch in asked(job, ground, changed, skip).values():
        thread.then(replace(sketch, only_if=joined(only_if, sketch.only_if)))


Asked = dict[tuple[str, Place], Sketch]
"""Restarts by service and place."""


def asked(job: Job, ground: Ground, changed: tuple[Place, ...], skip: Place | None) -> Asked:
    """Return the restarts of a store's table; what several rows name comes once at each place."""
    facts = common_facts(job, changed, ground)
    found: Asked = {}
    for row in select(job.store.restarts, ground.terrain.release, facts):
        runs_on = ground.catalogue.service(row.item.service).runs_on
        for place in _gathered(row.item, _row_places(row.item, ground, changed)):
            # Words such as "each node that runs it" would start the server that must rest.
            if runs_on is RunsOn.TFTP and skip and (place == skip or place.node is None):
                continue
            add(found, row.item.service, _restart(row, place, job, ground))
    return found


def add(found: Asked, service: str, sketch: Sketch) -> None:
    """Put a restart to those that are asked for already."""
    earlier = found.get((service, sketch.place))
    found[service, sketch.place] = _merged(earlier, sketch) if earlier else sketch


def _gathered(row: Restart, places: tuple[Place, ...]) -> tuple[Place, ...]:
    # What is only offered takes one step for all nodes, so that it does not bury what is needed.
    if row.need is Need.REQUIRED or not places:
        return places
    return (together(places),)


def _merged(one: Sketch, other: Sketch) -> Sketch:
    """Return one restart for two rows: the firmer need; of the conditions only what both ask.

    A restart too many costs minutes, one too few leaves an old certificate in use.
    """
    if one.need is not other.need:
        return one if _FIRMNESS.index(one.need) < _FIRMNESS.index(other.need) else other
    return replace(one, only_if=tuple(word for word in one.only_if if word in other.only_if))


_FIRMNESS = (Need.REQUIRED, Need.AUTOMATIC, Need.OPTIONAL)


def _restart(row: Selected[Restart], place: Place, job: Job, ground: Ground) -> Sketch:
    service = ground.catalogue.service(row.item.service)
    automatic = row.item.need is Need.AUTOMATIC
    return Sketch(
        "check-service-restarted" if automatic else "restart-service",
        place,
        store=job.name,
        service=row.item.service,
        only_if=joined(row.only_if, if_running(service.runs_on, place)),
        need=row.item.need,
        note=row.item.text,
    )


def if_running(runs_on: RunsOn, place: Place) -> tuple[str, ...]:
    """Return the condition of a restart at a place that may not run the service."""
    if runs_on in (RunsOn.ALL, RunsOn.CUCM, RunsOn.PUBLISHER) or (
        place.node and place.node.duties is not None
    ):
        return ()
    return ("the service is started there",)


def _row_places(row: Restart, ground: Ground, changed: tuple[Place, ...]) -> tuple[Place, ...]:
    service = ground.catalogue.service(row.service)
    running = ground.terrain.running(service)
    match row.on:
        case On.PUBLISHER:
            return (ground.terrain.publisher,)
        case On.SUBSCRIBERS:
            return tuple(place for place in running if not place.publisher)
        case On.EVERY:
            return running
        case On.CHANGED:
            named = {place.name for place in running if place.name}
            return tuple(p for p in changed if p.name is None or p.name in named)


def barrier(
    thread: Thread, only_if: tuple[str, ...] = (), gate: str = "wait-registrations", *,
    light: bool = False,
) -> None:  # fmt: skip
    """Draw the barrier: one phone of each kind first, then all, then wait for all (O6).

    At a `light` one no more than the first phones are reset.
    """
    for template in ("canary", gate) if light else ("canary", "reset-phones", gate):
        thread.then(Sketch(template, ALL_PHONES, only_if=only_if))


def tell(thread: Thread, job: Job, ground: Ground, only_if: tuple[str, ...] = ()) -> None:
    """Draw one step for each party outside that must get the new certificate."""
    facts = common_facts(job, job.places, ground)
    for chosen in select(job.store.tell, ground.terrain.release, facts):
        thread.then(
            Sketch(
                "tell-party", Place(OUTSIDE), store=job.name,
                only_if=joined(only_if, chosen.only_if), party=chosen.item,
            )
        )  # fmt: skip
