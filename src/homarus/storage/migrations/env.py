"""Alembic runs inside the gateway: on the connection given in the configuration, in a transaction already begun."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from homarus.storage.tables import metadata


def run(connection: Connection) -> None:
    """Run the migrations; whoever began the transaction commits it."""
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
