"""`homarus status`: one screen."""

from __future__ import annotations

from homarus.cli.gateway import session
from homarus.cli.options import AsJson, application
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, number, rows, text
from homarus.cli.screen import ago, facts, paint, say, show_json

app = application("Show on one screen what runs and what needs attention.")

_RECENT = 5


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show on one screen what runs and what needs attention."""
    target = find_gateway()
    with session(target) as gateway:
        found: Row = {
            "url": target.page_url,
            "status": gateway.call("status"),
            "channels": gateway.call("channels.status"),
            "failed": rows(gateway.call("messages.list", {"state": "failed", "limit": 100}), "messages"),
            "waiting": rows(gateway.call("pairing.list"), "requests"),
        }
    if as_json:
        show_json(found)
    else:
        _show(found)


def _show(found: Row) -> None:
    status, channels = as_row(found["status"]), as_row(found["channels"])
    sessions, tasks = as_row(status.get("sessions")), as_row(status.get("tasks"))
    now = number(channels, "ts")
    facts(
        [
            ("Gateway", f"{found['url']} (version {text(status, 'runtimeVersion', 'unknown')})"),
            ("Model", text(as_row(sessions.get("defaults")), "model", "unknown")),
            ("Running", f"{number(tasks, 'active')} now"),
            ("Sessions", f"{number(sessions, 'count')} stored"),
        ]
    )
    say()
    _show_channels(channels, now)
    _show_recent(rows(sessions, "recent")[:_RECENT], now)
    _show_attention(found, channels)


def _show_channels(channels: Row, now: int) -> None:
    accounts = as_row(channels.get("channelAccounts"))
    labels = as_row(channels.get("channelLabels"))
    for channel in accounts:
        for account in rows(accounts, channel):
            last = max(number(account, "lastInboundAt"), number(account, "lastOutboundAt"))
            name = f"{text(labels, channel, channel)} {text(account, 'accountId')}"
            facts([(name.ljust(24), f"{state_of(account)}, last message {ago(last, now)}")])


def _show_recent(recent: list[Row], now: int) -> None:
    if recent:
        say()
        for row in recent:
            facts([(ago(row.get("updatedAt"), now).ljust(24), text(row, "key"))])


def _show_attention(found: Row, channels: Row) -> None:
    lines = [
        f"{text(row, 'channel')}: {text(row, 'senderName') or text(row, 'senderId')} waits to be let in: "
        f"homarus pairing approve {text(row, 'channel')} {text(row, 'code')}"
        for row in rows(found, "waiting")
    ]
    failed = len(rows(found, "failed"))
    if failed:
        lines.append(f"{failed} failed messages: homarus messages list --state failed")
    accounts = as_row(channels.get("channelAccounts"))
    lines += [
        f"{channel}: {text(account, 'lastError')}"
        for channel in accounts
        for account in rows(accounts, channel)
        if account.get("lastError") and not account.get("connected")
    ]
    say()
    if not lines:
        say(paint("Nothing needs attention.", "green"))
        return
    say(paint("Needs attention:", "yellow"))
    for line in lines:
        facts([("-", line)])


def state_of(account: Row) -> str:
    """Return how a channel account stands in one word, and why when it is not well."""
    state = "connected" if account.get("connected") else "running" if account.get("running") else "stopped"
    problem = text(account, "lastError")
    return f"{state} ({problem})" if problem and state != "connected" else state
