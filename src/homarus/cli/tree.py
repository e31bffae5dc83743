"""Every command by name, with the module that holds it; reading this table loads none of them."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Entry(Struct, frozen=True):
    """One command. `module` offers `app`, a Typer application; `group` is a heading of the help page."""

    name: str
    module: str
    summary: str
    group: str


_BEGIN, _TALK, _CONNECT, _SETUP = "Start here", "Conversations", "Connections", "Setup"


def _entry(name: str, group: str, summary: str) -> Entry:
    return Entry(name, f"homarus.cli.commands.{name}", summary, group)


COMMANDS: Final = (
    _entry("up", _BEGIN, "Start the gateway and print a login link for the browser."),
    _entry("onboard", _BEGIN, "Set up a model, a channel and the service, step by step."),
    _entry("status", _BEGIN, "Show on one screen what runs and what needs attention."),
    _entry("agent", _BEGIN, "Say something to the assistant and print its answer."),
    _entry("link", _BEGIN, "Print a new one-time login link."),
    _entry("doctor", _BEGIN, "Check this installation; every finding comes with its fix."),
    _entry("message", _TALK, "Send messages out through a channel; edit, delete and react to them."),
    _entry("messages", _TALK, "See what became of each incoming message, and retry failed ones."),
    _entry("sessions", _TALK, "List, look into, reset and delete conversations."),
    _entry("cron", _TALK, "Let the assistant do things at set times."),
    _entry("channels", _CONNECT, "Connect chat channels, and see how they stand."),
    _entry("pairing", _CONNECT, "Let people in who wrote to the assistant for the first time."),
    _entry("nodes", _CONNECT, "See, approve and use the machines and phones that are nodes."),
    _entry("approvals", _CONNECT, "Answer what the assistant asks before it acts."),
    _entry("node", _CONNECT, "Make this machine a node of a gateway."),
    _entry("devices", _CONNECT, "See and approve the devices that may talk to the gateway."),
    _entry("system", _TALK, "Tell the assistant of events, and see its heartbeat."),
    _entry("config", _SETUP, "Read, change and check the configuration."),
    _entry("security", _SETUP, "Find what makes this installation weaker than it could be."),
    _entry("service", _SETUP, "Run the gateway as a service of this user."),
    _entry("backup", _SETUP, "Back up everything into one file, check it, put it back."),
    _entry("gateway", _SETUP, "Run the gateway, or ask a running one."),
    _entry("logs", _SETUP, "Read the log, or follow it."),
    _entry("version", _SETUP, "Print the version."),
)


def find(name: str) -> Entry | None:
    """Return the command of that name."""
    return next((entry for entry in COMMANDS if entry.name == name), None)


def nearest(name: str) -> str | None:
    """Return the command that was probably meant."""
    from difflib import get_close_matches

    close = get_close_matches(name, [entry.name for entry in COMMANDS], n=1)
    return close[0] if close else None
