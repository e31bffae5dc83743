"""Every table. Times are milliseconds since the epoch; `seq` columns are cursors; labels are stored as lists.

Change a table only together with a migration in `migrations/versions`; a test compares both.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Millis = BigInteger
Seq = BigInteger().with_variant(Integer, "sqlite")


def _seq() -> Column[int]:
    return Column("seq", Seq, primary_key=True, autoincrement=True)


# What came in. States: queued, running, replied, delivered, silent, dropped, failed (pipeline/states.py).
# `trail` is the story of the message: lines of `<ms> <step> <detail>`.
inbound = Table(
    "inbound",
    metadata,
    _seq(),
    Column("id", String(64), nullable=False, unique=True),
    Column("channel", String(64), nullable=False),
    Column("account", String(128), nullable=False),
    Column("external_id", String(512), nullable=False),
    Column("chat", String(512), nullable=False),
    Column("thread", String(512)),
    Column("kind", String(16), nullable=False),
    Column("sender_id", String(512), nullable=False),
    Column("sender_name", String(512), nullable=False, default=""),
    Column("text", Text, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("label", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("agent_id", String(128)),
    Column("session_key", String(600)),
    Column("run_id", String(128)),
    Column("sent_at", Millis),
    Column("received_at", Millis, nullable=False),
    Column("updated_at", Millis, nullable=False),
    Column("trail", Text, nullable=False, default=""),
    UniqueConstraint("channel", "account", "external_id"),
    Index(None, "state"),
    Index(None, "run_id"),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("key", String(600), primary_key=True),
    Column("agent_id", String(128), nullable=False),
    Column("session_id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("channel", String(64)),
    Column("address", JSON),
    Column("label", String(512)),
    Column("title", Text),
    Column("last_preview", Text),
    Column("status", String(16)),
    Column("meta", JSON, nullable=False),
    Column("input_tokens", BigInteger, nullable=False, default=0),
    Column("output_tokens", BigInteger, nullable=False, default=0),
    Column("total_tokens", BigInteger, nullable=False, default=0),
    Column("created_at", Millis, nullable=False),
    Column("updated_at", Millis, nullable=False),
    Column("started_at", Millis),
    Column("ended_at", Millis),
    Column("archived_at", Millis),
    Column("pinned_at", Millis),
    Index(None, "agent_id", "updated_at"),
    Index(None, "archived_at", "updated_at"),
    Index("ix_sessions_agent_id_archived_at", "agent_id", "archived_at", "updated_at"),
)

# The transcript, append-only. Types: user, assistant, tool_result, note. `run_id` groups a turn.
entries = Table(
    "entries",
    metadata,
    _seq(),
    Column("id", String(64), nullable=False, unique=True),
    Column("session_id", String(64), nullable=False),
    Column("run_id", String(128)),
    Column("type", String(16), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("label", JSON, nullable=False),
    Column("tokens", Integer, nullable=False, default=0),
    Column("created_at", Millis, nullable=False),
    Index(None, "session_id", "seq"),
    sqlite_autoincrement=True,
)

# One turn each. States: running, done, failed, aborted. `starts` counts begins and resumes after restarts.
runs = Table(
    "runs",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("agent_id", String(128), nullable=False),
    Column("session_key", String(600), nullable=False),
    Column("session_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("starts", Integer, nullable=False, default=1),
    Column("address", JSON),
    Column("origin", JSON, nullable=False),
    Column("text", Text, nullable=False, default=""),
    Column("error", Text),
    Column("stop_reason", String(32)),
    Column("model", String(256)),
    Column("usage", JSON),
    Column("started_at", Millis, nullable=False),
    Column("ended_at", Millis),
    Index(None, "state"),
    Index(None, "session_key", "started_at"),
)

# What goes out. States: pending, sending, sent, ambiguous, dead. `dedupe_key` makes a part exist once. `media` is the
# file a part carries, whose caption is then `text`; `manner` how it goes beyond that (homarus/manner.py).
outbound = Table(
    "outbound",
    metadata,
    _seq(),
    Column("id", String(64), nullable=False, unique=True),
    Column("dedupe_key", String(256), nullable=False, unique=True),
    Column("run_id", String(128)),
    Column("channel", String(64), nullable=False),
    Column("account", String(128), nullable=False),
    Column("chat", String(512), nullable=False),
    Column("thread", String(512)),
    Column("part_index", Integer, nullable=False),
    Column("part_count", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("reply_to", String(512)),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", Millis, nullable=False),
    Column("platform_id", String(512)),
    Column("error", Text),
    Column("created_at", Millis, nullable=False),
    Column("updated_at", Millis, nullable=False),
    Column("media", JSON(none_as_null=True)),
    Column("manner", JSON(none_as_null=True)),
    Index(None, "state", "channel", "account"),
    Index(None, "run_id"),
    sqlite_autoincrement=True,
)

pairing_requests = Table(
    "pairing_requests",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("account", String(128), primary_key=True),
    Column("sender_id", String(512), primary_key=True),
    Column("sender_name", String(512), nullable=False, default=""),
    Column("code", String(16), nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("last_seen_at", Millis, nullable=False),
    Index(None, "channel", "code"),
)

allowlist = Table(
    "allowlist",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("account", String(128), primary_key=True),
    Column("sender_id", String(512), primary_key=True),
    Column("source", String(32), nullable=False),
    Column("added_at", Millis, nullable=False),
)

# Paired devices of the gateway protocol. `record` holds the descriptive fields of a paired device.
devices = Table(
    "devices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("public_key", String(64), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("record", JSON, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("approved_at", Millis, nullable=False),
)

# Only SHA-256 hashes (hex) of device tokens are stored.
device_tokens = Table(
    "device_tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("device_id", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("rotated_at", Millis),
    Column("revoked_at", Millis),
    Column("last_used_at", Millis),
    Index(None, "device_id", "role"),
)

device_requests = Table(
    "device_requests",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("device_id", String(64), nullable=False),
    Column("request", JSON, nullable=False),
    Column("created_at", Millis, nullable=False),
    Index(None, "device_id"),
)

# Nodes that were approved. `record` holds what the node says about itself, `name` what the owner calls it; only the
# SHA-256 hash (hex) of its token is stored.
nodes = Table(
    "nodes",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("token_hash", String(64), nullable=False),
    Column("name", String(256)),
    Column("record", JSON, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("approved_at", Millis, nullable=False),
    Column("connected_at", Millis),
)

node_pairings = Table(
    "node_pairings",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("node_id", String(128), nullable=False, unique=True),
    Column("request", JSON, nullable=False),
    Column("created_at", Millis, nullable=False),
)

# What waits for a node. Kinds: request (answered by drain, one per type), action (an invoke for an app in front).
node_work = Table(
    "node_work",
    metadata,
    _seq(),
    Column("id", String(64), nullable=False, unique=True),
    Column("node_id", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("type", String(128), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis),
    Index(None, "node_id", "kind"),
    sqlite_autoincrement=True,
)

# Questions to the owner. Kinds: exec, plugin. `decision` without `resolved_at` is impossible; `used_at` marks an
# allow-once that was consumed. `requester` says which device and connection asked.
approvals = Table(
    "approvals",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("request", JSON, nullable=False),
    Column("requester", JSON, nullable=False),
    Column("decision", String(16)),
    Column("resolved_by", String(128)),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False),
    Column("resolved_at", Millis),
    Column("used_at", Millis),
    Index(None, "kind", "resolved_at"),
    Index(None, "created_at"),
)

memory_facts = Table(
    "memory_facts",
    metadata,
    _seq(),
    Column("agent_id", String(128), nullable=False),
    Column("text", Text, nullable=False),
    Column("label", JSON, nullable=False),
    Column("run_id", String(128)),
    Column("created_at", Millis, nullable=False),
    Column("superseded_at", Millis),
    Index(None, "agent_id"),
    sqlite_autoincrement=True,
)

# Running totals per agent, day (UTC, YYYY-MM-DD) and model.
usage = Table(
    "usage",
    metadata,
    Column("agent_id", String(128), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("provider", String(128), primary_key=True),
    Column("model", String(256), primary_key=True),
    Column("calls", BigInteger, nullable=False, default=0),
    Column("input_tokens", BigInteger, nullable=False, default=0),
    Column("output_tokens", BigInteger, nullable=False, default=0),
    Column("cache_read_tokens", BigInteger, nullable=False, default=0),
    Column("cache_write_tokens", BigInteger, nullable=False, default=0),
    Column("cost_usd", Float, nullable=False, default=0.0),
    Column("is_priced", Boolean, nullable=False, default=False),
)

# What is to be done at set times. `next_run` is None for a job that is off or done; `spec` is the job as clients
# wrote it (automation/job.py), `state` how its runs went.
jobs = Table(
    "jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("agent_id", String(128), nullable=False),
    Column("name", String(200), nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("next_run", Millis),
    Column("spec", JSON, nullable=False),
    Column("state", JSON, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("updated_at", Millis, nullable=False),
    Index(None, "next_run"),
)

# One row per due time of a job. States: queued, running, ran, failed, skipped, missed. `id` is the id of the agent's
# run. Rows outlive their job, so `job_name` is kept.
job_runs = Table(
    "job_runs",
    metadata,
    _seq(),
    Column("id", String(64), nullable=False, unique=True),
    Column("job_id", String(64), nullable=False),
    Column("job_name", String(200), nullable=False),
    Column("planned_at", Millis, nullable=False),
    Column("is_manual", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("session_key", String(600)),
    Column("session_id", String(64)),
    Column("started_at", Millis),
    Column("ended_at", Millis),
    Column("error", Text),
    Column("summary", Text),
    Column("delivery", String(16)),
    Column("delivery_error", Text),
    Column("model", String(256)),
    Column("usage", JSON),
    UniqueConstraint("job_id", "planned_at"),
    Index(None, "state"),
    Index(None, "ended_at"),
    sqlite_autoincrement=True,
)

kv = Table(
    "kv",
    metadata,
    Column("namespace", String(64), primary_key=True),
    Column("name", String(256), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", Millis, nullable=False),
)
