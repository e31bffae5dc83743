"""`/metrics`: what the instruments and the journal say, as one page. Loaded by the first request for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from homarus import __version__
from homarus.gateway.exposition import Page
from homarus.gateway.process import read_process
from homarus.storage.counts import StoredCounts, count_stored
from homarus.storage.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from homarus.gateway.core import GatewayCore
    from homarus.gateway.instruments import Instruments
    from homarus.gateway.services import Services

ACTIVE_MS: Final = 3_600_000
"""A session counts as active when something happened in it within the last hour."""
WAITING_PARTS: Final = ("pending", "sending", "ambiguous")
WAITING_MESSAGES: Final = ("queued", "running", "replied")


async def render_metrics(core: GatewayCore) -> str:
    """Return the page. Raises StorageError when the database cannot be read."""
    services = core.services
    stored = await services.database.read(count_stored, services.clock.now_ms() - ACTIVE_MS)
    page = Page()
    _add_process(page, core)
    _add_journal(page, stored)
    _add_clients(page, core)
    _add_channels(page, services)
    _add_database(page, services)
    if services.instruments is not None:
        _add_load(page, services.instruments)
        _add_counters(page, services.instruments)
        _add_times(page, services.instruments)
        _add_tasks(page, core, services.instruments)
    return page.text()


def _add_process(page: Page, core: GatewayCore) -> None:
    facts = read_process()
    page.many("info", "gauge", "Version of Homarus", ("version",), {(__version__,): 1})
    page.one("uptime_seconds", "gauge", "Seconds since the start", core.uptime)
    page.one("memory_usage_bytes", "gauge", "Resident memory", facts.resident_bytes)
    page.one("cpu_seconds_total", "counter", "Processor time of the process", facts.cpu_seconds)
    page.one("threads", "gauge", "Threads of the process", facts.threads)
    page.one("tasks", "gauge", "Tasks of the event loop that have not ended", len(asyncio.all_tasks()))
    if facts.open_files is not None:
        page.one("open_file_descriptors", "gauge", "Open file descriptors", facts.open_files)


def _add_journal(page: Page, stored: StoredCounts) -> None:
    messages = {(state,): count for state, count in stored.messages.items()}
    parts = {(state,): count for state, count in stored.parts.items()}
    depths = {
        ("messages",): sum(stored.messages.get(state, 0) for state in WAITING_MESSAGES),
        ("parts",): sum(stored.parts.get(state, 0) for state in WAITING_PARTS),
    }
    page.one("sessions_active", "gauge", "Sessions in which something happened within an hour", stored.active_sessions)
    page.one("sessions_stored", "gauge", "Stored sessions", stored.sessions)
    page.many("messages", "gauge", "Messages in the journal by state", ("state",), messages)
    page.many("parts", "gauge", "Parts of replies in the journal by state", ("state",), parts)
    page.many("journal_open", "gauge", "Messages and parts that have not reached their end", ("kind",), depths)


def _add_clients(page: Page, core: GatewayCore) -> None:
    buffered = [connection.outbox.buffered for connection in core.hub.connections]
    page.one("ws_clients", "gauge", "Connected WebSocket clients", len(buffered))
    page.one("ws_buffered_bytes", "gauge", "Bytes that wait for all clients", sum(buffered))
    page.one("ws_buffered_bytes_max", "gauge", "Bytes that wait for the slowest client", max(buffered, default=0))


def _add_channels(page: Page, services: Services) -> None:
    accounts = services.channels.accounts()
    labels = ("channel", "account")
    connected = {(each.channel, each.account): int(each.is_connected) for each in accounts}
    heard = {(each.channel, each.account): (each.last_inbound_at or 0) / 1000 for each in accounts}
    sent = {(each.channel, each.account): (each.last_outbound_at or 0) / 1000 for each in accounts}
    page.many("channel_connected", "gauge", "1 while the account is connected", labels, connected)
    page.many("channel_last_inbound_timestamp_seconds", "gauge", "When it last heard; 0: never", labels, heard)
    page.many("channel_last_outbound_timestamp_seconds", "gauge", "When it last sent something; 0: never", labels, sent)


def _add_database(page: Page, services: Services) -> None:
    database = services.database
    if isinstance(database, SqliteDatabase):
        page.one("db_writes_waiting", "gauge", "Writes that wait for their commit", database.waiting)
        page.histograms("db_write_batch_size", "Writes per commit", None, [("", database.batches)])


def _add_load(page: Page, instruments: Instruments) -> None:
    load = instruments.load()
    page.one("lanes", "gauge", "Sessions with something running or waiting", load.sessions)
    page.one("lane_messages_waiting", "gauge", "Messages that wait in all lanes", load.waiting)
    page.one("runs_active", "gauge", "Runs that hold a place", load.running)
    page.one("runs_limit", "gauge", "Places for runs", load.limit)


def _add_counters(page: Page, instruments: Instruments) -> None:
    meter = instruments.meter
    page.one("messages_processed_total", "counter", "Messages that were answered or turned away", meter.processed)
    rows = (
        ("messages_received_total", "Messages by what the inbox did", ("channel", "outcome"), meter.received),
        ("runs_total", "Ended runs", ("outcome",), meter.runs),
        ("tool_executions_total", "Ended tool calls", ("tool_name", "status"), meter.tools),
        ("model_calls_total", "Requests to models", ("model", "outcome"), meter.model_calls),
        ("model_tokens_total", "Tokens as providers count them", ("model", "kind"), meter.tokens),
        ("part_attempts_total", "Attempts to send a part", ("channel", "outcome"), meter.parts),
    )
    for name, about, labels, counts in rows:
        page.many(name, "counter", about, labels, dict(counts.values))


def _add_times(page: Page, instruments: Instruments) -> None:
    meter, watchdog = instruments.meter, instruments.watchdog
    page.histograms("message_processing_duration_seconds", "From receipt to run's end", None, [("", meter.processing)])
    page.histograms("turn_stage_seconds", "Time per stage of a turn", "stage", meter.stages.items())
    page.histograms("session_duration_seconds", "How long ended sessions lasted", None, [("", meter.sessions)])
    page.histograms("loop_lag_seconds", "How late the event loop came to its beat", None, [("", watchdog.lag)])
    page.one("loop_stalls_total", "counter", "Beats more than 0.2 s late", watchdog.stalls)


def _add_tasks(page: Page, core: GatewayCore, instruments: Instruments) -> None:
    tasks = (*instruments.tasks(), *core.background())
    states = {(task.name, task.state): 1 for task in tasks}
    page.many("task_state", "gauge", "State of each supervised task", ("task", "state"), states)
    restarts = {(task.name,): task.restarts for task in tasks}
    page.many("task_restarts_total", "counter", "Restarts of each supervised task", ("task",), restarts)
