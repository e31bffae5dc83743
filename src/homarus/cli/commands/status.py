"""`homarus status`: one screen."""

from __future__ import annotations

from homarus.cli.gateway import session
from homarus.cli.options import AsJson, application
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, number, rows, text
from homarus.cli.screen import ago, clean, duration, facts, paint, say, show_json

app = application("Show on one screen what runs and what needs attention.")

_RECENT = 5
_STATES = {"connected": "green", "connecting": "yellow", "stopped": "red"}


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show on one screen what runs and what needs attention."""
    target = find_gateway()
    with session(target) as gateway:
        found: Row = {
            "url": target.page_url,
            **as_row(gateway.call("gateway.overview")),
            "recent": rows(gateway.call("sessions.list", {"limit": _RECENT}), "sessions"),
        }
    if as_json:
        show_json(found)
    else:
        _show(found)


def _show(found: Row) -> None:
    facts(
        [
            ("Gateway", f"{text(found, 'url')}, version {text(found, 'version', 'unknown')}"),
            ("Up for", f"{duration(number(found, 'uptimeMs') / 1000)}, {_memory(found)}, {_clients(found)}"),
            ("Model", text(found, "model", "none")),
            ("Now", _load(as_row(found.get("queue")))),
            ("Sessions", _sessions(as_row(found.get("sessions")))),
            ("Last 24 h", _failures(as_row(found.get("failures")))),
        ]
    )
    say()
    _show_channels(rows(found, "channels"), number(found, "ts"))
    _show_recent(rows(found, "recent"), number(found, "ts"))
    say()
    _show_attention(rows(found, "attention"))


def _memory(found: Row) -> str:
    return f"{number(found, 'memoryBytes') / 1_048_576:.0f} MB of memory"


def _clients(found: Row) -> str:
    return _count(number(found, "clients"), "client")


def _load(queue: Row) -> str:
    running, limit = number(queue, "running"), number(queue, "limit")
    places = f" of {limit}" if limit else ""
    waiting, parts = number(queue, "waiting"), number(queue, "parts")
    return f"{running}{places} running, {_count(waiting, 'message')} waiting, {_count(parts, 'reply part')} to send"


def _sessions(sessions: Row) -> str:
    return f"{number(sessions, 'stored')} stored, {number(sessions, 'active')} active within an hour"


def _failures(failures: Row) -> str:
    kinds = (("messages", "failed message"), ("runs", "failed run"), ("parts", "undelivered part"))
    counted = [_count(number(failures, name), label) for name, label in kinds if number(failures, name)]
    return ", ".join(counted) or "nothing failed"


def _count(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _show_channels(channels: list[Row], now: int) -> None:
    for row in channels:
        name = f"{text(row, 'label')} {text(row, 'accountId')}"
        state = state_of(row)
        word = state.partition(" ")[0]
        heard, sent = ago(row.get("lastInboundAt"), now), ago(row.get("lastOutboundAt"), now)
        shown = clean(state).replace(word, paint(word, _STATES.get(word, "bold")), 1)
        times = f", last in {heard}, last out {sent}" if (heard, sent) != ("-", "-") else ""
        say(f"{paint(clean(name).ljust(24), 'dim')}  {shown}{times}")


def _show_recent(recent: list[Row], now: int) -> None:
    if recent:
        say()
        facts((ago(row.get("updatedAt"), now).ljust(24), text(row, "key")) for row in recent)


def _show_attention(notes: list[Row]) -> None:
    if not notes:
        say(paint("Nothing needs attention.", "green"))
        return
    say(paint("Needs attention:", "yellow"))
    for note in notes:
        say(f"- {clean(text(note, 'text'))}")
        say(f"  {paint('next:', 'green')} {clean(text(note, 'todo'))}")


def state_of(account: Row) -> str:
    """Return how a channel account stands in one word, and why when it is not well."""
    state = "connected" if account.get("connected") else "connecting" if account.get("running") else "stopped"
    problem = text(account, "lastError")
    return f"{state} ({problem})" if problem and state != "connected" else state
