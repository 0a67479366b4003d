"""What the plan does not know, in the order of weight, with what would tell."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from watcher.inventory.schema import Cluster, Duty
from watcher.model.expiry import Certainty
from watcher.model.plan import Finding, OpenQuestion, Step
from watcher.model.release import Release
from watcher.planner.fill import command
from watcher.planner.frame import Work
from watcher.planner.phases import issuer_facts
from watcher.planner.sketch import Ground
from watcher.rules.select import CONDITION_WORDS, select
from watcher.rules.terms import Condition

_SU_MATTERS_FROM = Release(12, 5)

BY_CONDITION = {
    Condition.MIXED: "security-mode",
    Condition.NON_SECURE: "security-mode",
    Condition.TOKENLESS: "ctl-method",
    Condition.ETOKEN: "ctl-method",
    Condition.LSC: "lsc-in-use",
    Condition.DOT1X: "dot1x",
    Condition.VPN: "vpn",
    Condition.SSO: "sso",
    Condition.SIP_OAUTH: "sip-oauth",
    Condition.EXPRESSWAY: "expressway",
    Condition.EMCC: "emcc",
    Condition.CCX: "ccx",
    Condition.UNITY_CONNECTION: "unity-connection",
    Condition.IM_PRESENCE: "im-presence",
    Condition.EMERGENCY_RESPONDER: "emergency-responder",
    Condition.IPSEC_POLICIES: "ipsec-policies",
    Condition.SECURE_TRUNKS: "secure-trunks",
    Condition.FIPS: "fips",
    Condition.SELF_SIGNED: "certificate-issuer",
    Condition.CA_SIGNED: "certificate-issuer",
    Condition.MULTI_SERVER: "multi-server",
    Condition.REUSED: "multi-server",
    Condition.SINGLE_NODE: "nodes",
    Condition.MULTI_NODE: "nodes",
}


def open_questions(
    findings: Sequence[Finding], work: Work, steps: Sequence[Step], ground: Ground
) -> tuple[OpenQuestion, ...]:
    """Return the open questions in the order of the catalogue, which is the order of weight."""
    wanted = set(_about_the_cluster(ground))
    wanted |= set(_about_certificates(findings, work, ground))
    wanted |= set(_about_conditions(steps))
    if work.phone_facing:
        wanted |= set(_about_phones(ground))
    return tuple(_question(name, ground) for name in ground.catalogue.questions if name in wanted)


def _question(name: str, ground: Ground) -> OpenQuestion:
    question, terrain = ground.catalogue.questions[name], ground.terrain
    commands = select(question.command, terrain.release, terrain.facts)
    return OpenQuestion(
        id=name, text=question.text, why=question.why, look=question.look,
        command=tuple(replace(command(s.item), only_if=s.only_if) for s in commands),
        reading=question.reading, inventory_key=question.inventory_key,
    )  # fmt: skip


def _about_the_cluster(ground: Ground) -> Iterable[str]:
    cluster = ground.terrain.cluster
    if cluster is None:
        yield from ("cluster-unknown", "release", "nodes", "change-window", "last-backup")
        return
    if cluster.release is None or _su_matters(cluster.release):
        yield "release"
    if not cluster.nodes:
        yield "nodes"
    if not cluster.change_schedule:
        yield "change-window"
    if cluster.last_backup is None:
        yield "last-backup"
    if cluster.time_zone is None:
        yield "time-zone"


def _su_matters(release: Release) -> bool:
    # From 12.5 on restarts differ between SUs; without one the base release is assumed, which
    # restarts more. `show version active` prints a build that does not say the SU.
    return release.su is None and release >= _SU_MATTERS_FROM


def _about_certificates(findings: Sequence[Finding], work: Work, ground: Ground) -> Iterable[str]:
    sure = (Certainty.EXACT, Certainty.INFERRED)
    if any(finding.expiry.certainty not in sure for finding in findings):
        yield "certificate-date"
    if any(f.trust and f.owner is None for f in findings):
        yield "trust-owner"
    if any(f.trust and not f.file_in_inventory for f in findings):
        yield "trust-file"
    for job in work.services:
        for place in job.places:
            if None in issuer_facts(job, place, ground) and job.via is None:
                yield "certificate-issuer"


def _about_conditions(steps: Sequence[Step]) -> Iterable[str]:
    words = {word for step in steps for word in _words(step)}
    for condition, question in BY_CONDITION.items():
        if any(CONDITION_WORDS[condition] in word for word in words):
            yield question
    if any("release " in word for word in words):
        yield "release"


def _words(step: Step) -> Iterable[str]:
    yield from step.only_if
    for line in (*step.do, *step.gui, *step.expect, *step.check):
        yield from line.only_if
    for command_line in step.command:
        yield from command_line.only_if


def _about_phones(ground: Ground) -> Iterable[str]:
    cluster = ground.terrain.cluster
    if cluster is None or not cluster.phone_groups or _uncounted(cluster):
        yield "phones-off"
    if cluster is None or not cluster.callmanager_groups:
        yield "callmanager-groups"
    if not ground.terrain.duties_known:
        yield "duties"
    if cluster is None or not _order_known(ground):
        yield "tftp-order"
    if cluster is None or cluster.rollback_pre80 is None:
        yield "rollback-parameter"
    yield from _about_lists(ground)
    yield from _about_releases(ground)


def _about_lists(ground: Ground) -> Iterable[str]:
    cluster, facts = ground.terrain.cluster, ground.terrain.facts
    if facts.get(Condition.MIXED) is None:
        yield "security-mode"
    if facts.get(Condition.MIXED) and facts.get(Condition.TOKENLESS) is None:
        yield "ctl-method"
    if facts.get(Condition.ETOKEN) and cluster and cluster.etokens is None:
        yield "etokens"


def _uncounted(cluster: Cluster) -> bool:
    return any(group.count is None for group in cluster.phone_groups)


def _order_known(ground: Ground) -> bool:
    nodes = [p.node for p in ground.terrain.places if p.node and p.node.has(Duty.TFTP)]
    return bool(nodes) and all(node.tftp_order for node in nodes)


def _about_releases(ground: Ground) -> Iterable[str]:
    cluster, release = ground.terrain.cluster, ground.terrain.release
    mixed = ground.terrain.facts.get(Condition.MIXED)
    if cluster is None or release is None or mixed is False:
        return
    for name, known in (
        ("license", cluster.export_controlled_license),
        ("phone-interaction", cluster.phone_interaction),
    ):
        asked = ground.catalogue.questions.get(name)
        lines = asked.command if asked else ()
        if known is None and (not lines or any(c.releases.matches(release) for c in lines)):
            yield name
