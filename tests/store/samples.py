"""Nouns to store: one of each with sensible values, and strategies for any."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from watcher.model.alarm import Envelope, Severity
from watcher.model.case import Act, ActKind, Case, CaseEvent, CaseKey, CaseState
from watcher.model.expiry import Certainty, ExpiryState
from watcher.model.ledger import Place, Reason
from watcher.model.message import Grade, MessageId, Origin, Position, Way
from watcher.model.slot import Fit, Outcome
from watcher.model.ticket import Change, Draft, Errand, ErrandKind, ErrandState
from watcher.ports import EvidenceRow, StoredMessage, StoredPlan

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def message_id(position=1, journal="main"):
    return MessageId(journal=journal, position=Position(position))


def message(position=1, **changes):
    made = StoredMessage(
        id=message_id(position),
        origin=Origin(way=Way.UDP, input="udp", peer="192.0.2.1", grade=Grade.CLAIM),
        received_at=NOW,
        data=b"<187>1: alarm",
        cut=False,
        place=Place.CASE,
        reason=Reason.NONE,
        detail="",
    )
    return replace(made, **changes)


def key(owner="sub1", cluster="graz", **changes):
    return replace(CaseKey(cluster=cluster, owner=owner, store="tomcat"), **changes)


def event(name="e1", case=None, **changes):
    made = CaseEvent(
        key=name,
        case=case or key(),
        message=message_id(),
        msgname="CertValidLessThanADay",
        severity=Severity.ALERT,
        reporter="sub1",
        event_time=NOW,
        received_at=NOW,
        grade=Grade.CLAIM,
        way=Way.UDP,
        envelope=(Envelope.RFC3164, Envelope.CISCOLOG),
        state=ExpiryState.EXPIRING,
        end_day=date(2026, 11, 24),
        end_earliest=NOW + DAY,
        end_latest=NOW + 2 * DAY,
        certainty=Certainty.EXACT,
        about="expiry",
        trust=False,
        raw="%UC_CERT-1-CertValidLessThanADay: ...",
    )
    return replace(made, **changes)


def case(of=None, **changes):
    made = Case(
        key=of or key(),
        opened_at=NOW,
        heard_at=NOW,
        first_event=NOW,
        last_event=NOW,
        occurrences=1,
        copies=0,
        reporters=("sub1",),
        ways=(Way.UDP,),
        msgnames=("CertValidLessThanADay",),
        severity=Severity.ALERT,
        grade=Grade.CLAIM,
        end_day=date(2026, 11, 24),
        end_earliest=NOW + DAY,
        end_latest=NOW + 2 * DAY,
        certainty=Certainty.EXACT,
        expired=False,
        revoked=False,
        trust_only=False,
        state=CaseState.ALARMED,
        state_since=NOW,
    )
    return replace(made, **changes)


def evidence(name="v1", **changes):
    made = EvidenceRow(
        key=name,
        message=message_id(),
        topic="backup-failed",
        cluster="graz",
        reporter="pub",
        event_time=NOW,
        received_at=NOW,
        raw="%UC_DRF-3-DRFBackupFailure: ...",
    )
    return replace(made, **changes)


def plan(digest="sha256:" + "ab" * 32, **changes):
    made = StoredPlan(
        cluster="graz",
        digest=digest,
        drawn_at=NOW,
        headline="Renew one certificate",
        steps=12,
        refused=False,
        document="{}",
        markdown="# Change plan",
    )
    return replace(made, **changes)


def act(of=None, **changes):
    made = Act(kind=ActKind.ACKNOWLEDGE, case=of or key(), at=NOW, who="ann", why="known")
    return replace(made, **changes)


clean = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
instants = st.datetimes(timezones=st.just(UTC))
maybe = st.none() | instants
some_clean = st.lists(clean, max_size=4).map(tuple)
big = st.integers(0, 2**63 - 1)


def some(members):
    return st.lists(st.sampled_from(members), max_size=4).map(tuple)


message_ids = st.builds(MessageId, journal=clean, position=big)
origins = st.builds(
    Origin, way=st.sampled_from(Way), input=clean, peer=clean, grade=st.sampled_from(Grade),
    bound=some_clean,
)  # fmt: skip
messages = st.builds(
    StoredMessage, id=message_ids, origin=origins, received_at=instants, data=st.binary(),
    cut=st.booleans(), place=st.sampled_from(Place), reason=st.sampled_from(Reason), detail=clean,
)  # fmt: skip
keys = st.builds(
    CaseKey, cluster=clean, owner=clean, store=clean, identity=clean, claimed=st.booleans()
)  # fmt: skip
severities = st.none() | st.sampled_from(Severity)
ends = {
    "severity": severities, "grade": st.sampled_from(Grade), "end_day": st.none() | st.dates(),
    "end_earliest": maybe, "end_latest": maybe, "certainty": st.sampled_from(Certainty),
}  # fmt: skip
events = st.builds(
    CaseEvent, key=clean, case=keys, message=message_ids, msgname=clean, reporter=clean,
    event_time=maybe, received_at=instants, way=st.sampled_from(Way), envelope=some(Envelope),
    state=st.sampled_from(ExpiryState), about=clean.map(lambda text: text[:16]),
    trust=st.booleans(), raw=clean, spot=clean, **ends,
)  # fmt: skip
cases = st.builds(
    Case, key=keys, opened_at=instants, heard_at=instants, first_event=maybe, last_event=maybe,
    occurrences=big, copies=big, reporters=some_clean, ways=some(Way), msgnames=some_clean,
    expired=st.booleans(), revoked=st.booleans(), trust_only=st.booleans(),
    state=st.sampled_from(CaseState), state_since=instants, round=st.integers(1, 2**31 - 1),
    acknowledged_by=clean, acknowledged_why=clean, acknowledged_until=maybe, planned_digest=clean,
    planned_for=maybe, confirmed_end=maybe, resolved_at=maybe, contradiction=clean,
    spots=some_clean, **ends,
)  # fmt: skip
acts = st.builds(
    Act, kind=st.sampled_from(ActKind), case=keys, at=instants, who=clean, why=clean, until=maybe,
    not_after=maybe, digest=st.none() | clean,
)  # fmt: skip
evidence_rows = st.builds(
    EvidenceRow, key=clean, message=message_ids, topic=clean, cluster=clean, reporter=clean,
    event_time=maybe, received_at=instants, raw=clean,
)  # fmt: skip
plans = st.builds(
    StoredPlan, cluster=clean, digest=st.integers(0, 2**256 - 1).map(lambda n: f"sha256:{n:064x}"),
    drawn_at=instants, headline=clean, steps=st.integers(0, 2**31 - 1), refused=st.booleans(),
    document=clean, markdown=clean,
)  # fmt: skip


def fit(**changes):
    made = Fit(
        outcome=Outcome.NONE, zone="Europe/Vienna", found_at=NOW, minutes=653, deadline=NOW + DAY,
        late=NOW + 2 * DAY, why="none is long enough", relief="an extra window",
    )  # fmt: skip
    return replace(made, **changes)


def draft(**changes):
    plain = {"title": "graz: renew tomcat of pub", "description": "- a\n- b", "risk": "none",
             "impact": "phones", "implementation": "1. pub: look", "back_out": "none",
             "test": "look"}  # fmt: skip
    made = Draft(
        key="", version=0, material="m1", cluster="graz", starts=None, ends=NOW, due=NOW + DAY,
        items=("pub", "sub1"), decides=("Way: services",), fit=fit(), **plain,
    )  # fmt: skip
    return replace(made, **changes)


def change(number=1, **changes):
    made = Change(
        key=f"watcher-graz-{number}", cluster="graz", number=number, version=1, progress=0, round=1,
        standing=("graz: tomcat of sub1: open",), opened_at=NOW, round_at=NOW, ended_at=None,
        draft=draft(),
    )  # fmt: skip
    return replace(made, **changes)


def errand(number=1, kind=ErrandKind.CREATE, what="v1", **changes):
    made = Errand(
        id=0, change=f"watcher-graz-{number}", system="directory", kind=kind, version=1,
        mark=f"[watcher-graz-{number} {what}]", state=ErrandState.NEW, attempts=0, next_at=NOW,
        sent_at=None, epoch=0, ticket=None, told="", added_at=NOW,
    )  # fmt: skip
    return replace(made, **changes)
