"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

AT = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")
DAY = sa.Date().with_variant(sa.String(10), "sqlite")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables; the way back is the backup."""
    _case()
    _event()
    _transition()
    _crossing()
    _act()
    _message()
    _evidence()
    _ledger()
    _heard()
    _cursor()
    _plan()
    _lease()
    _run()


def _case() -> None:
    op.create_table(
        "case",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("case_key", sa.String(length=32), nullable=False),
        sa.Column("cluster", sa.String(length=255), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("store", sa.String(length=255), nullable=False),
        sa.Column("identity", sa.String(length=255), nullable=False),
        sa.Column("claimed", sa.Boolean(), nullable=False),
        sa.Column("urgent_at", AT, nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("opened_at", AT, nullable=False),
        sa.Column("heard_at", AT, nullable=False),
        sa.Column("first_event", AT, nullable=True),
        sa.Column("last_event", AT, nullable=True),
        sa.Column("occurrences", sa.BigInteger(), nullable=False),
        sa.Column("copies", sa.BigInteger(), nullable=False),
        sa.Column("reporters", sa.Text(), nullable=False),
        sa.Column("ways", sa.Text(), nullable=False),
        sa.Column("msgnames", sa.Text(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=True),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("end_day", DAY, nullable=True),
        sa.Column("end_earliest", AT, nullable=True),
        sa.Column("end_latest", AT, nullable=True),
        sa.Column("certainty", sa.String(length=16), nullable=False),
        sa.Column("expired", sa.Boolean(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.Column("trust_only", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_since", AT, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("acknowledged_by", sa.String(length=255), nullable=False),
        sa.Column("acknowledged_why", sa.Text(), nullable=False),
        sa.Column("acknowledged_until", AT, nullable=True),
        sa.Column("planned_digest", sa.String(length=128), nullable=False),
        sa.Column("planned_for", AT, nullable=True),
        sa.Column("confirmed_end", AT, nullable=True),
        sa.Column("resolved_at", AT, nullable=True),
        sa.Column("contradiction", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
        sa.UniqueConstraint("case_key", name=op.f("uq_case_case_key")),
    )
    op.create_index(op.f("ix_case_closed_urgent_at"), "case", ["closed", "urgent_at"])
    op.create_index(op.f("ix_case_cluster"), "case", ["cluster"])


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("case_key", sa.String(length=32), nullable=False),
        sa.Column("cluster", sa.String(length=255), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("store", sa.String(length=255), nullable=False),
        sa.Column("identity", sa.String(length=255), nullable=False),
        sa.Column("claimed", sa.Boolean(), nullable=False),
        sa.Column("journal", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("msgname", sa.String(length=255), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=True),
        sa.Column("reporter", sa.String(length=255), nullable=False),
        sa.Column("event_time", AT, nullable=True),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("envelope", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("end_day", DAY, nullable=True),
        sa.Column("end_earliest", AT, nullable=True),
        sa.Column("end_latest", AT, nullable=True),
        sa.Column("certainty", sa.String(length=16), nullable=False),
        sa.Column("about", sa.String(length=16), nullable=False),
        sa.Column("trust", sa.Boolean(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_key"],
            ["case.case_key"],
            name=op.f("fk_event_case_key"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("key", name=op.f("uq_event_key")),
    )
    op.create_index(
        op.f("ix_event_case_key_reporter_received_at"),
        "event",
        ["case_key", "reporter", "received_at"],
        unique=False,
    )
    op.create_index(op.f("ix_event_journal_position"), "event", ["journal", "position"])


def _transition() -> None:
    op.create_table(
        "transition",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("case_key", sa.String(length=32), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("before", sa.String(length=16), nullable=True),
        sa.Column("after", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_key"],
            ["case.case_key"],
            name=op.f("fk_transition_case_key"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transition")),
    )
    op.create_index(op.f("ix_transition_case_key"), "transition", ["case_key"])


def _crossing() -> None:
    op.create_table(
        "crossing",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("case_key", sa.String(length=32), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("silent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_key"],
            ["case.case_key"],
            name=op.f("fk_crossing_case_key"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crossing")),
        sa.UniqueConstraint(
            "case_key", "round", "days", name=op.f("uq_crossing_case_key_round_days")
        ),
    )


def _act() -> None:
    op.create_table(
        "act",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("case_key", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("who", sa.String(length=255), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("until", AT, nullable=True),
        sa.Column("not_after", AT, nullable=True),
        sa.Column("digest", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_key"],
            ["case.case_key"],
            name=op.f("fk_act_case_key"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
    )
    op.create_index(op.f("ix_act_case_key"), "act", ["case_key"])


def _message() -> None:
    op.create_table(
        "message",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("journal", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("input", sa.String(length=64), nullable=False),
        sa.Column("peer", sa.String(length=255), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("bound", sa.Text(), nullable=False),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("place", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("journal", "position", name=op.f("uq_message_journal_position")),
    )
    held = sa.text("data IS NOT NULL")
    op.create_index(
        "ix_message_held",
        "message",
        ["place", "received_at"],
        sqlite_where=held,
        postgresql_where=held,
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("journal", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("cluster", sa.String(length=255), nullable=False),
        sa.Column("reporter", sa.String(length=255), nullable=False),
        sa.Column("event_time", AT, nullable=True),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("key", name=op.f("uq_evidence_key")),
    )
    op.create_index(
        op.f("ix_evidence_cluster_received_at"),
        "evidence",
        ["cluster", "received_at"],
        unique=False,
    )
    op.create_index(op.f("ix_evidence_received_at"), "evidence", ["received_at"])


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("input", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("input", "place", "reason", name=op.f("pk_ledger")),
    )


def _heard() -> None:
    op.create_table(
        "heard",
        sa.Column("source", sa.String(length=263), nullable=False),
        sa.Column("input", sa.String(length=64), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("last", AT, nullable=False),
        sa.PrimaryKeyConstraint("source", "input", name=op.f("pk_heard")),
    )
    op.create_index(op.f("ix_heard_last"), "heard", ["last"])


def _cursor() -> None:
    op.create_table(
        "cursor",
        sa.Column("journal", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("journal", name=op.f("pk_cursor")),
    )


def _plan() -> None:
    op.create_table(
        "plan",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("cluster", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("drawn_at", AT, nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index(op.f("ix_plan_cluster_id"), "plan", ["cluster", "id"])
    op.create_index(op.f("ix_plan_digest"), "plan", ["digest"])


def _lease() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("until", AT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )


def _run() -> None:
    op.create_table(
        "run",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=64), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("finished_at", AT, nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("job", "period", name=op.f("pk_run")),
    )
