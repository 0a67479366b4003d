"""From every state a database can be in to the tables of today, whatever interrupts it."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import event
from store import samples
from store.server import new_url

from watcher.errors import InputError
from watcher.ports import CaseQuery
from watcher.store.caserows import case_to_row, event_to_row
from watcher.store.connection import Database
from watcher.store.drafts import draft_to_text
from watcher.store.engine import open_existing, open_store
from watcher.store.migrate import SCRIPTS, head, migrate
from watcher.store.tables import metadata

REVISIONS = [script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()][::-1]
STARTS = [None, *REVISIONS[:-1]]
"""What a database may be at before: nothing, or the tables of any earlier release."""

NEXT = '''"""A change that the tests invent: SQLite has to build the table anew."""

import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{before}"


def upgrade() -> None:
    with op.batch_alter_table("case") as batch:
        batch.add_column(sa.Column("note", sa.Text(), nullable=False, server_default="none"))
        batch.alter_column("contradiction", type_=sa.String(1000))
    op.create_table("note", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO note (id) SELECT id FROM \\"case\\"")
'''


@pytest.fixture
def url(empty_url):
    """Begin without tables."""
    return empty_url


@pytest.fixture
def later(tmp_path):
    """Write the migrations of a release to come."""
    folder = tmp_path / "migrations"
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "next.py").write_text(NEXT.format(before=head()), encoding="utf-8")
    return folder


@pytest.fixture
def database(url):
    """Connect, to look at a database and to break it."""
    database = Database(url)
    yield database
    database.close()


def plain(index):
    """Return an index with its condition as text."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}


def shape(engine):
    """Return all that the database says of its tables."""
    found = sa.inspect(engine)
    tables = {}
    for table in set(found.get_table_names()) - {"alembic_version"}:
        columns = [{**one, "type": str(one["type"])} for one in found.get_columns(table)]
        tables[table] = {
            "columns": {one["name"]: one for one in columns},
            "primary": found.get_pk_constraint(table),
            "unique": sorted(found.get_unique_constraints(table), key=str),
            "foreign": sorted(found.get_foreign_keys(table), key=str),
            "indexes": sorted(map(plain, found.get_indexes(table)), key=str),
        }  # fmt: skip
    return tables


def rows(engine):
    """Return how many rows each table has, and the digests of its cases."""
    with engine.connect() as connection:
        counts = {
            table: connection.execute(
                sa.select(sa.func.count()).select_from(sa.table(table))
            ).scalar()
            for table in sa.inspect(connection).get_table_names()
        }
        digests = connection.execute(sa.text('SELECT case_key FROM "case" ORDER BY id')).all()
    return counts, digests


def fill(url):
    store = open_existing(url)
    with store.transaction() as unit:
        unit.save([samples.case(samples.key(f"sub{number}")) for number in range(3)])
        unit.add_events([samples.event(case=samples.key("sub1"))])
        unit.add_act(samples.act(samples.key("sub2")))
        unit.keep([samples.message()])
    store.close()


class Interrupted(Exception):  # noqa: N818 -- what happened
    """A statement was the last that ran."""


def interrupted(url, at, scripts):
    """Migrate, and fail behind statement `at`; tell whether it came to that."""
    ran = 0

    def count(connection, *_):
        nonlocal ran
        ran += bool(connection.get_execution_options().get("watcher_writes"))
        if ran == at:
            raise Interrupted

    event.listen(sa.Engine, "after_cursor_execute", count)
    try:
        migrate(url, scripts=scripts)
    except Interrupted:
        return True
    finally:
        event.remove(sa.Engine, "after_cursor_execute", count)
    return False


def bring_to(database, revision):
    """Run the migrations up to a revision, as the release that had it did."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with database.engine.connect() as raw:
        config.attributes["connection"] = raw.execution_options(watcher_writes=True)
        command.upgrade(config, revision)
        raw.commit()


def test_the_migrations_make_the_tables_of_the_program(url, database, request, tmp_path):
    migrate(url)
    fresh = Database(new_url(database.url.get_backend_name(), request, tmp_path))
    with fresh.writing() as connection:
        metadata.create_all(connection)
    made = shape(fresh.engine)
    fresh.close()

    assert len(made) == 17
    assert shape(database.engine) == made


@pytest.mark.parametrize("start", STARTS)
def test_failing_at_each_statement_leaves_everything_as_it_was(url, database, start):
    if start is not None:
        bring_to(database, start)
    before, at = shape(database.engine), 1
    while interrupted(url, at, SCRIPTS):
        assert shape(database.engine) == before
        at += 1

    assert at > (20 if start is None else 5)
    assert set(shape(database.engine)) == set(metadata.tables)


def test_a_migration_to_come_keeps_the_rows_whatever_statement_fails(url, database, later):
    migrate(url)
    fill(url)
    before, held, at = shape(database.engine), rows(database.engine), 1
    while interrupted(url, at, later):
        assert shape(database.engine) == before
        assert rows(database.engine) == held
        at += 1
    counts, digests = rows(database.engine)

    assert at > 5
    assert counts == held[0] | {"note": 3}
    assert digests == held[1]
    assert "note" in shape(database.engine)["case"]["columns"]


@pytest.mark.parametrize("at", [1, 12, 28])
def test_a_process_killed_in_a_migration_leaves_nothing_behind(url, database, at):
    script = "import sys; from watcher.store.migrate import migrate; migrate(sys.argv[1])"
    killed = subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, "-c", script, url], check=False, capture_output=True,
        env=os.environ | {"WATCHER_CRASH_AT": f"in-migration:{at}"},
    )  # fmt: skip

    assert killed.returncode == -9
    assert shape(database.engine) == {}
    assert migrate(url) is None
    assert len(shape(database.engine)) == 17


def test_a_database_of_today_is_left_alone(url, tmp_path):
    migrate(url)

    assert migrate(url) is None
    assert [path for path in tmp_path.iterdir() if "backup" in path.name] == []


def test_a_newer_database_is_refused_in_one_sentence(url, later):
    migrate(url, scripts=later)
    for open_it in (migrate, open_store, open_existing):
        with pytest.raises(InputError, match="written by a newer watcher") as caught:
            open_it(url)
        assert "\n" not in str(caught.value)


def test_a_database_of_somebody_else_is_refused(url, database):
    with database.writing() as connection:
        connection.execute(sa.text("CREATE TABLE theirs (id INTEGER)"))

    with pytest.raises(InputError, match="not watcher's"):
        migrate(url)


def test_an_older_database_is_not_opened_by_a_command(url):
    with pytest.raises(InputError, match=r"tables of the database|does not exist"):
        open_existing(url)


@pytest.fixture
def file(tmp_path):
    """Make a SQLite database with rows."""
    url = f"sqlite:///{tmp_path}/watcher.db"
    migrate(url)
    fill(url)
    return tmp_path / "watcher.db"


def test_sqlite_is_copied_before_its_tables_change(file, later):
    kept = migrate(f"sqlite:///{file}", scripts=later)
    store = open_existing(f"sqlite:///{kept}")

    assert kept == Path(f"{file}.{head()}.backup")
    assert len(store.view.list_cases(CaseQuery())) == 3
    assert store.view.message(samples.message_id()) == samples.message()
    store.close()


def test_half_a_backup_is_not_taken_for_one(file, later):
    half = Path(f"{file}.{head()}.backup.half")
    half.write_bytes(b"SQLite format 3\0 and no more")
    kept = migrate(f"sqlite:///{file}", scripts=later)

    assert not half.exists()
    assert sqlite3.connect(kept).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_errands_of_an_earlier_release_are_kept_and_show_nobody_knows_what(url, database):
    bring_to(database, "0002")
    at = "2026-11-23 12:00:00.000000"
    with database.writing() as connection:
        connection.execute(sa.text(
            "INSERT INTO change (id, key, cluster, number, version, progress, round, standing,"
            " opened_at, round_at, draft) VALUES (1, 'watcher-graz-1', 'graz', 1, 1, 0, 1, '[]',"
            " :at, :at, :draft)"), {"at": at, "draft": draft_to_text(samples.draft())})  # fmt: skip
        connection.execute(sa.text(
            "INSERT INTO errand (id, change_key, system, kind, version, mark, text, state,"
            " attempts, refusals, added_at, next_at, epoch, told) VALUES (1, 'watcher-graz-1',"
            " 'directory', 'create', 1, '[watcher-graz-1 v1]', '', 'done', 0, 0, :at, :at, 1, '')"
        ), {"at": at})  # fmt: skip
    migrate(url)
    store = open_existing(url)
    (errand,) = store.outbox.newest("graz").errands
    words = {store.outbox.installation() for _ in range(2)}
    store.close()

    assert ("[watcher-graz-1 v1]", "", 0) == (errand.signed, errand.digest, errand.unclear)
    assert 1 == len(words)


COPY = "%[Message=Certificate expiration Notification. Certificate name:Pub.DER Unit:tomcat-trust T"


@pytest.mark.parametrize(
    ("raw", "spot"), [(COPY, "tomcat-trust/pub"), (COPY.replace("-trust", ""), "tomcat"), ("", "")]
)
def test_events_of_an_earlier_release_are_told_apart_by_their_copies(url, database, raw, spot):
    bring_to(database, "0003")
    event = samples.event(raw=raw)
    with database.writing() as connection:
        for name, row in (
            ("case", case_to_row(samples.case()) | {"id": 1}), ("event", event_to_row(event))
        ):  # fmt: skip
            known = {key: value for key, value in row.items() if not key.startswith("spot")}
            connection.execute(metadata.tables[name].insert().values(known))
    migrate(url)
    store = open_existing(url)
    (found,), (row,) = store.view.events_of([event.case], 1), store.view.list_cases(CaseQuery())
    store.close()

    assert (spot, ()) == (found.spot, row.case.spots)
