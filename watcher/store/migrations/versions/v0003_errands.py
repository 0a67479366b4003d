"""How often an errand was sent in vain, what it shows, and whose tickets they are."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add columns and a table; the way back is the backup."""
    with op.batch_alter_table("errand") as batch:
        batch.add_column(sa.Column("unclear", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("digest", sa.String(16), nullable=False, server_default=""))
    with op.batch_alter_table("errand") as batch:
        batch.alter_column("unclear", server_default=None)
        batch.alter_column("digest", server_default=None)
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("word", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
