"""The first schema. A released migration never changes: it names every column itself instead of using `tables`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SQLITE_SEARCH = (
    """
CREATE VIRTUAL TABLE memory_search USING fts5(
    text, content='memory_facts', content_rowid='seq', tokenize='unicode61 remove_diacritics 2', prefix='2 3')
""",
    """
CREATE TRIGGER memory_facts_insert AFTER INSERT ON memory_facts BEGIN
    INSERT INTO memory_search(rowid, text) VALUES (new.seq, new.text);
END
""",
    """
CREATE TRIGGER memory_facts_delete AFTER DELETE ON memory_facts BEGIN
    INSERT INTO memory_search(memory_search, rowid, text) VALUES ('delete', old.seq, old.text);
END
""",
    """
CREATE TRIGGER memory_facts_update AFTER UPDATE OF text ON memory_facts BEGIN
    INSERT INTO memory_search(memory_search, rowid, text) VALUES ('delete', old.seq, old.text);
    INSERT INTO memory_search(rowid, text) VALUES (new.seq, new.text);
END
""",
)
POSTGRESQL_SEARCH = (
    """
CREATE INDEX ix_memory_facts_search ON memory_facts
    USING gin (to_tsvector('simple', translate(text, '_-./:@+#&=?~', '            ')))
""",
)


def upgrade() -> None:
    """Create every table."""
    _create_inbound()
    _create_sessions()
    _create_runs()
    _create_outbound()
    _create_pairing()
    _create_devices()
    _create_memory()
    _create_usage_and_kv()


def _create_inbound() -> None:
    op.create_table(
        "inbound",
        sa.Column("seq", SEQ, nullable=False, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("external_id", sa.String(512), nullable=False),
        sa.Column("chat", sa.String(512), nullable=False),
        sa.Column("thread", sa.String(512)),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("sender_id", sa.String(512), nullable=False),
        sa.Column("sender_name", sa.String(512), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("label", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.String(128)),
        sa.Column("session_key", sa.String(600)),
        sa.Column("run_id", sa.String(128)),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("trail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_inbound"),
        sa.UniqueConstraint("channel", "account", "external_id", name="uq_inbound_channel_account_external_id"),
        sa.UniqueConstraint("id", name="uq_inbound_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inbound_state", "inbound", ["state"])
    op.create_index("ix_inbound_run_id", "inbound", ["run_id"])


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("key", sa.String(600), nullable=False),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(64)),
        sa.Column("address", sa.JSON()),
        sa.Column("label", sa.String(512)),
        sa.Column("title", sa.Text()),
        sa.Column("last_preview", sa.Text()),
        sa.Column("status", sa.String(16)),
        sa.Column("meta", sa.JSON(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("total_tokens", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name="pk_sessions"),
    )
    op.create_index("ix_sessions_agent_id_updated_at", "sessions", ["agent_id", "updated_at"])
    op.create_table(
        "entries",
        sa.Column("seq", SEQ, nullable=False, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(128)),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("label", sa.JSON(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_entries"),
        sa.UniqueConstraint("id", name="uq_entries_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entries_session_id_seq", "entries", ["session_id", "seq"])


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("session_key", sa.String(600), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("address", sa.JSON()),
        sa.Column("origin", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("stop_reason", sa.String(32)),
        sa.Column("model", sa.String(256)),
        sa.Column("usage", sa.JSON()),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_state", "runs", ["state"])
    op.create_index("ix_runs_session_key_started_at", "runs", ["session_key", "started_at"])


def _create_outbound() -> None:
    op.create_table(
        "outbound",
        sa.Column("seq", SEQ, nullable=False, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("dedupe_key", sa.String(256), nullable=False),
        sa.Column("run_id", sa.String(128)),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("chat", sa.String(512), nullable=False),
        sa.Column("thread", sa.String(512)),
        sa.Column("part_index", sa.Integer(), nullable=False),
        sa.Column("part_count", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.String(512)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("platform_id", sa.String(512)),
        sa.Column("error", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_outbound"),
        sa.UniqueConstraint("id", name="uq_outbound_id"),
        sa.UniqueConstraint("dedupe_key", name="uq_outbound_dedupe_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbound_state_channel_account", "outbound", ["state", "channel", "account"])
    op.create_index("ix_outbound_run_id", "outbound", ["run_id"])


def _create_pairing() -> None:
    op.create_table(
        "pairing_requests",
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("sender_id", sa.String(512), nullable=False),
        sa.Column("sender_name", sa.String(512), nullable=False),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "account", "sender_id", name="pk_pairing_requests"),
    )
    op.create_index("ix_pairing_requests_channel_code", "pairing_requests", ["channel", "code"])
    op.create_table(
        "allowlist",
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("sender_id", sa.String(512), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "account", "sender_id", name="pk_allowlist"),
    )


def _create_devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("public_key", sa.String(64), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
    )
    op.create_table(
        "device_tokens",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("device_id", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("rotated_at", sa.BigInteger()),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.Column("last_used_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("hash", name="pk_device_tokens"),
    )
    op.create_index("ix_device_tokens_device_id_role", "device_tokens", ["device_id", "role"])
    op.create_table(
        "device_requests",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("device_id", sa.String(64), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_device_requests"),
    )
    op.create_index("ix_device_requests_device_id", "device_requests", ["device_id"])


def _create_memory() -> None:
    op.create_table(
        "memory_facts",
        sa.Column("seq", SEQ, nullable=False, autoincrement=True),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("label", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.String(128)),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("superseded_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("seq", name="pk_memory_facts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_memory_facts_agent_id", "memory_facts", ["agent_id"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_SEARCH if is_sqlite else POSTGRESQL_SEARCH:
        op.get_bind().exec_driver_sql(statement.strip())


def _create_usage_and_kv() -> None:
    op.create_table(
        "usage",
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("provider", sa.String(128), nullable=False),
        sa.Column("model", sa.String(256), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=False),
        sa.Column("is_priced", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "day", "provider", "model", name="pk_usage"),
    )
    op.create_table(
        "kv",
        sa.Column("namespace", sa.String(64), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "name", name="pk_kv"),
    )
