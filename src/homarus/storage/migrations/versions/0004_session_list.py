"""Columns and indexes that the list of sessions is read by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add when a session was put away and pinned, and order the list by an index."""
    op.add_column("sessions", sa.Column("archived_at", sa.BigInteger()))
    op.add_column("sessions", sa.Column("pinned_at", sa.BigInteger()))
    op.create_index("ix_sessions_archived_at_updated_at", "sessions", ["archived_at", "updated_at"])
    op.create_index("ix_sessions_agent_id_archived_at", "sessions", ["agent_id", "archived_at", "updated_at"])
