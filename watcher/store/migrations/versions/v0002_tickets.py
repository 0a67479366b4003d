"""Changes, their tickets, and the outbox; a plan keeps what its ticket says."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

AT = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables; the way back is the backup."""
    op.add_column("plan", sa.Column("draft", sa.Text(), nullable=True))
    _change()
    _ticket()
    _errand()


def _change() -> None:
    op.create_table(
        "change",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("cluster", sa.String(length=255), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("opened_at", AT, nullable=False),
        sa.Column("round_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=True),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        sa.UniqueConstraint("key", name=op.f("uq_change_key")),
        sa.UniqueConstraint("cluster", "number", name=op.f("uq_change_cluster_number")),
    )


def _ticket() -> None:
    op.create_table(
        "ticket",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("change_key", sa.String(length=128), nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("ref", sa.String(length=255), nullable=False),
        sa.Column("number", sa.String(length=255), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("closed_at", AT, nullable=True),
        sa.ForeignKeyConstraint(["change_key"], ["change.key"], name=op.f("fk_ticket_change_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("change_key", "system", name=op.f("uq_ticket_change_key_system")),
    )


def _errand() -> None:
    op.create_table(
        "errand",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("change_key", sa.String(length=128), nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("mark", sa.String(length=255), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("added_at", AT, nullable=False),
        sa.Column("next_at", AT, nullable=False),
        sa.Column("sent_at", AT, nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["change_key"], ["change.key"], name=op.f("fk_errand_change_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_errand")),
        sa.UniqueConstraint(
            "change_key", "system", "mark", name=op.f("uq_errand_change_key_system_mark")
        ),
    )
    op.create_index(
        op.f("ix_errand_system_state_next_at"), "errand", ["system", "state", "next_at"]
    )
    op.create_index(op.f("ix_errand_system_sent_at"), "errand", ["system", "sent_at"])
