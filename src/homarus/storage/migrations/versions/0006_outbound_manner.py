"""How parts go out beyond their text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Let a part go without a sound, or with buttons."""
    op.add_column("outbound", sa.Column("manner", sa.JSON()))
