"""Alembic's entry: the connection comes from toolcart.archive.database.database, which opens or makes the archive."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
