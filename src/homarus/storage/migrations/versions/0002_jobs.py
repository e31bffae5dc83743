"""Jobs of the scheduler and their runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables of the scheduler."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("next_run", sa.BigInteger()),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_next_run", "jobs", ["next_run"])
    _create_runs()


def _create_runs() -> None:
    op.create_table(
        "job_runs",
        sa.Column("seq", SEQ, nullable=False, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("job_name", sa.String(200), nullable=False),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("is_manual", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("session_key", sa.String(600)),
        sa.Column("session_id", sa.String(64)),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.Column("summary", sa.Text()),
        sa.Column("delivery", sa.String(16)),
        sa.Column("delivery_error", sa.Text()),
        sa.Column("model", sa.String(256)),
        sa.Column("usage", sa.JSON()),
        sa.PrimaryKeyConstraint("seq", name="pk_job_runs"),
        sa.UniqueConstraint("id", name="uq_job_runs_id"),
        sa.UniqueConstraint("job_id", "planned_at", name="uq_job_runs_job_id_planned_at"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_runs_state", "job_runs", ["state"])
    op.create_index("ix_job_runs_ended_at", "job_runs", ["ended_at"])
