"""Runs the migrations on the connection that watcher.store.migrate hands over.

All of them run in that connection's one transaction, so that a crash takes back everything.
"""

from alembic import context

from watcher.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
