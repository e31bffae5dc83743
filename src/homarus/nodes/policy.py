"""Which commands a node may be asked for: its platform's defaults, what the configuration adds, less what it denies."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from msgspec import Struct

from homarus.protocol.node_commands import ADMIN_COMMANDS

_CANVAS: Final = (
    "canvas.present",
    "canvas.hide",
    "canvas.navigate",
    "canvas.eval",
    "canvas.snapshot",
    "canvas.a2ui.push",
    "canvas.a2ui.pushJSONL",
    "canvas.a2ui.reset",
)
_PHONE: Final = (
    *_CANVAS,
    "camera.list",
    "location.get",
    "device.info",
    "device.status",
    "contacts.search",
    "calendar.events",
    "reminders.list",
    "photos.latest",
    "motion.activity",
    "motion.pedometer",
    "system.notify",
)
_ANDROID: Final = (
    "notifications.list",
    "notifications.actions",
    "device.permissions",
    "device.health",
    "callLog.search",
)
_DESKTOP: Final = ("system.run.prepare", "system.run", "system.which", "browser.proxy")
RELAYED_PREFIX: Final = "system.execApprovals."
"""Commands that only `exec.approvals.node.*` sends."""

DEFAULTS: Final = {
    "ios": frozenset(_PHONE),
    "android": frozenset((*_PHONE, *_ANDROID)),
    "macos": frozenset((*_PHONE, *_DESKTOP)),
    "linux": frozenset((*_DESKTOP, "system.notify")),
    "windows": frozenset((*_DESKTOP, "system.notify")),
    "unknown": frozenset((*_CANVAS, "camera.list", "location.get", "system.notify")),
}
"""Commands allowed by default per platform (reference nodes §4). Cameras, screens and writes are never among them."""

_PREFIXES: Final = (
    ("ios", "ios"),
    ("android", "android"),
    ("mac", "macos"),
    ("darwin", "macos"),
    ("win", "windows"),
    ("linux", "linux"),
)
_FAMILIES: Final = (
    ("iphone", "ios"),
    ("ipad", "ios"),
    ("ios", "ios"),
    ("android", "android"),
    ("mac", "macos"),
    ("windows", "windows"),
    ("linux", "linux"),
)


class Refusal(Struct, frozen=True):
    """Why a command is not sent. `reason` is the stable word of `details.reason`."""

    message: str
    reason: str


def platform_of(platform: str | None, family: str | None) -> str:
    """Return the key of DEFAULTS for what a node says about itself."""
    named = (platform or "").strip().lower()
    found = next((key for prefix, key in _PREFIXES if named.startswith(prefix)), None)
    if found is not None:
        return found
    words = (family or "").strip().lower()
    return next((key for token, key in _FAMILIES if token in words), "unknown")


def allowed_commands(
    platform: str | None, family: str | None, allow: Iterable[str] = (), deny: Iterable[str] = ()
) -> frozenset[str]:
    """Return every command a node of that kind may be asked for; `deny` wins."""
    added = {command.strip() for command in allow if command.strip()}
    denied = {command.strip() for command in deny}
    return (DEFAULTS[platform_of(platform, family)] | added) - denied


def filter_commands(declared: Iterable[str], allowed: Collection[str]) -> tuple[str, ...]:
    """Return the declared commands that are allowed: trimmed, each once, in declared order."""
    trimmed = dict.fromkeys(command.strip() for command in declared)
    return tuple(command for command in trimmed if command in allowed)


def check_command(command: str, declared: Collection[str], allowed: Collection[str], platform: str) -> Refusal | None:
    """Return why a command may not be sent to a node that declared some, None when it may."""
    if command not in allowed:
        text = f'node command not allowed: "{command}" is not in the allowlist for platform "{platform}"'
        return Refusal(text, "command not allowlisted")
    if not declared:
        text = "node command not allowed: the node did not declare any supported commands"
        return Refusal(text, "node did not declare commands")
    if command not in declared:
        text = f'node command not allowed: the node (platform: {platform}) does not support "{command}"'
        return Refusal(text, "command not declared by node")
    return None


def approval_scopes(commands: Collection[str]) -> tuple[str, ...]:
    """Return the scopes approving a node with these commands needs."""
    if not ADMIN_COMMANDS.isdisjoint(commands):
        return ("operator.pairing", "operator.admin")
    return ("operator.pairing", "operator.write") if commands else ("operator.pairing",)
