"""Files in parts that go out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Let a part be a file."""
    op.add_column("outbound", sa.Column("media", sa.JSON()))
