"""The tables. What a migration makes must equal them (tests/store/test_migrate.py).

A case is named in the other tables by `case_key`, the digest of its key, because they may be
written before the case has a number.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from watcher.store.values import DETAIL, DIGEST, INPUT, KEY, NAME, BigId, Day, Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _word(name: str, size: int = 32) -> Column[str]:
    return Column(name, String(size), nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _small(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, SmallInteger, nullable=nullable)


def _at(name: str) -> Column[object]:
    return Column(name, Instant, nullable=False)


def _maybe_at(name: str) -> Column[object]:
    return Column(name, Instant)


def _id() -> Column[int]:
    return Column("id", BigId, primary_key=True)


def _case_names() -> tuple[Column[str], ...]:
    return tuple(_word(name, NAME) for name in ("cluster", "owner", "store", "identity"))


def _of_case() -> Column[str]:
    """Belong to a case; looked at when the transaction commits, so that order is free."""
    target = ForeignKey("case.case_key", deferrable=True, initially="DEFERRED")
    return Column("case_key", String(DIGEST), target, nullable=False)


def _of_message() -> tuple[Column[str], Column[int]]:
    """Name a message; no reference, for retention removes messages before events."""
    return _word("journal", INPUT), _count("position")


message = Table(
    "message",
    metadata,
    _id(),
    *_of_message(),
    _word("way", 8),
    _word("input", INPUT),
    _word("peer", NAME),
    _small("grade"),
    _text("bound"),
    _at("received_at"),
    _word("sha256", 64),
    Column("size", Integer, nullable=False),
    Column("data", LargeBinary),  # NULL: removed by retention
    _flag("cut"),
    _word("place", 16),
    _word("reason"),
    _word("detail", DETAIL),
    UniqueConstraint("journal", "position"),
    Index(
        "ix_message_held",
        "place",
        "received_at",
        sqlite_where=text("data IS NOT NULL"),
        postgresql_where=text("data IS NOT NULL"),
    ),  # only messages whose bytes are there are looked for by place
)

case = Table(
    "case",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    _word("case_key", DIGEST),
    *_case_names(),
    _flag("claimed"),
    _at("urgent_at"),
    _flag("closed"),
    _at("opened_at"),
    _at("heard_at"),
    _maybe_at("first_event"),
    _maybe_at("last_event"),
    _count("occurrences"),
    _count("copies"),
    _text("reporters"),
    _text("ways"),
    _text("msgnames"),
    _small("severity", nullable=True),
    _small("grade"),
    Column("end_day", Day),
    _maybe_at("end_earliest"),
    _maybe_at("end_latest"),
    _word("certainty", 16),
    _flag("expired"),
    _flag("revoked"),
    _flag("trust_only"),
    _word("state", 16),
    _at("state_since"),
    Column("round", Integer, nullable=False),
    _word("acknowledged_by", NAME),
    _text("acknowledged_why"),
    _maybe_at("acknowledged_until"),
    _word("planned_digest", KEY),
    _maybe_at("planned_for"),
    _maybe_at("confirmed_end"),
    _maybe_at("resolved_at"),
    _text("contradiction"),
    _text("spots"),
    UniqueConstraint("case_key"),
    Index(None, "closed", "urgent_at"),
    Index(None, "cluster"),
)

event = Table(
    "event",
    metadata,
    _id(),
    _word("key", KEY),
    _of_case(),
    *_case_names(),
    _flag("claimed"),
    *_of_message(),
    _word("msgname", NAME),
    _small("severity", nullable=True),
    _word("reporter", NAME),
    _maybe_at("event_time"),
    _at("received_at"),
    _small("grade"),
    _word("way", 8),
    _word("envelope", NAME),
    _word("state", 16),
    Column("end_day", Day),
    _maybe_at("end_earliest"),
    _maybe_at("end_latest"),
    _word("certainty", 16),
    _word("about", 16),
    _flag("trust"),
    _text("raw"),
    Column("spot", String(NAME)),  # NULL: kept by a release that told no copies apart
    UniqueConstraint("key"),
    Index(None, "case_key", "reporter", "received_at"),
    Index(None, "journal", "position"),
)

transition = Table(
    "transition",
    metadata,
    _id(),
    _of_case(),
    _at("at"),
    Column("before", String(16)),
    _word("after", 16),
    _text("reason"),
    Index(None, "case_key"),
)

crossing = Table(
    "crossing",
    metadata,
    _id(),
    _of_case(),
    Column("round", Integer, nullable=False),
    Column("days", Integer, nullable=False),
    _at("at"),
    _text("silent"),
    UniqueConstraint("case_key", "round", "days"),
)

act = Table(
    "act",
    metadata,
    _id(),
    _of_case(),
    _word("kind", 16),
    _at("at"),
    _word("who", NAME),
    _text("why"),
    _maybe_at("until"),
    _maybe_at("not_after"),
    Column("digest", String(KEY)),
    Index(None, "case_key"),
)

evidence = Table(
    "evidence",
    metadata,
    _id(),
    _word("key", KEY),
    *_of_message(),
    _word("topic", 64),
    _word("cluster", NAME),
    _word("reporter", NAME),
    _maybe_at("event_time"),
    _at("received_at"),
    _text("raw"),
    UniqueConstraint("key"),
    Index(None, "cluster", "received_at"),
    Index(None, "received_at"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("input", String(INPUT), primary_key=True),
    Column("place", String(16), primary_key=True),
    Column("reason", String(32), primary_key=True),
    _count("total"),
)

heard = Table(
    "heard",
    metadata,
    Column("source", String(NAME + 8), primary_key=True),
    Column("input", String(INPUT), primary_key=True),
    _count("total"),
    _at("last"),
    Index(None, "last"),
)

cursor = Table(
    "cursor",
    metadata,
    Column("journal", String(INPUT), primary_key=True),
    _count("position"),
)

plan = Table(
    "plan",
    metadata,
    _id(),
    _word("cluster", NAME),
    _word("digest", KEY),
    _at("drawn_at"),
    _text("headline"),
    Column("steps", Integer, nullable=False),
    _flag("refused"),
    _text("document"),
    _text("markdown"),
    Column("draft", Text),  # NULL: drawn by a release before tickets
    Index(None, "cluster", "id"),
    Index(None, "digest"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(INPUT), primary_key=True),
    _word("holder", NAME),
    _count("epoch"),
    _at("until"),
)

run = Table(
    "run",
    metadata,
    Column("job", String(INPUT), primary_key=True),
    Column("period", String(INPUT), primary_key=True),
    _at("at"),
    _maybe_at("finished_at"),
    Column("result", Text),
)

change = Table(
    "change",
    metadata,
    _id(),
    _word("key", KEY),
    _word("cluster", NAME),
    Column("number", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("progress", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    _text("standing"),
    _at("opened_at"),
    _at("round_at"),
    _maybe_at("ended_at"),
    _text("draft"),
    UniqueConstraint("key"),
    UniqueConstraint("cluster", "number"),
)


def _of_change() -> Column[str]:
    return Column("change_key", String(KEY), ForeignKey("change.key"), nullable=False)


ticket = Table(
    "ticket",
    metadata,
    _id(),
    _of_change(),
    _word("system", INPUT),
    _word("ref", NAME),
    _word("number", NAME),
    _text("url"),
    _text("title"),
    _flag("closed"),
    _maybe_at("closed_at"),
    UniqueConstraint("change_key", "system"),
)

errand = Table(
    "errand",
    metadata,
    _id(),
    _of_change(),
    _word("system", INPUT),
    _word("kind", 16),
    Column("version", Integer, nullable=False),
    _word("mark", NAME),
    _text("text"),
    _word("state", 16),
    Column("attempts", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
    Column("unclear", Integer, nullable=False),
    _word("digest", 16),
    _at("added_at"),
    _at("next_at"),
    _maybe_at("sent_at"),
    _count("epoch"),
    _word("told", DETAIL),
    UniqueConstraint("change_key", "system", "mark"),
    Index(None, "system", "state", "next_at"),
    Index(None, "system", "sent_at"),
)

installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _word("word", 16),
)
"""One row: what tells this database's tickets from those of any other."""
