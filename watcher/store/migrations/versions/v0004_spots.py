"""Which of a case's certificates an event speaks of: copies of one lie in many places."""

import re
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

CHUNK = 2000
_NAMED = re.compile(r"Certificate name:(.{0,200}?) Unit:([A-Za-z0-9_-]{1,64})", re.ASCII)
_ENDING = re.compile(r"\.(?:der|pem|crt|cer)$", re.ASCII)

_event = sa.table("event", sa.column("id"), sa.column("raw"), sa.column("spot"))


def upgrade() -> None:
    """Add the columns and read the old events once more; the way back is the backup."""
    op.add_column("event", sa.Column("spot", sa.String(length=255), nullable=True))
    with op.batch_alter_table("case") as batch:
        batch.add_column(sa.Column("spots", sa.Text(), nullable=False, server_default="[]"))
    with op.batch_alter_table("case") as batch:
        batch.alter_column("spots", server_default=None)
    last = -1
    while found := _behind(last):
        last = found[-1][0]
        told = [{"key": key, "said": said} for key, raw in found for said in _spot(raw)]
        if told:
            change = sa.update(_event).where(_event.c.id == sa.bindparam("key"))
            op.get_bind().execute(change.values(spot=sa.bindparam("said")), told)


def _behind(last: int) -> list[tuple[int, object]]:
    wanted = sa.select(_event.c.id, _event.c.raw).where(_event.c.id > last)
    rows = op.get_bind().execute(wanted.order_by(_event.c.id).limit(CHUNK)).all()
    return [(row.id, row.raw) for row in rows]


def _spot(raw: object) -> Iterator[str]:
    """Yield what a record names; where it names nothing, the place stays empty."""
    named = _NAMED.search(raw) if isinstance(raw, str) else None
    if named is not None:
        file, store = _ENDING.sub("", named[1].strip().lower()), named[2]
        yield f"{store}/{file}" if store.endswith("-trust") else store
