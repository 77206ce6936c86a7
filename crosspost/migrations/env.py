"""Alembic's entry: it runs the migrations on the connection that `upgrade` hands over."""

from alembic import context
from sqlmodel import SQLModel

import crosspost.database  # noqa: F401 - fills SQLModel.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
