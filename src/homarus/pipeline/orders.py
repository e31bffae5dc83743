"""Orders in a chat that need no model: `/new`, `/reset`, `/status`, `/whoami`, `/help`.

Only a message that is nothing but an order counts, and only from someone with the integrity of a user; anyone else's
text goes to the model like any other.
"""

from __future__ import annotations

from typing import cast

from msgspec import Struct

from homarus.labels import Integrity
from homarus.storage.records import InboundMessage

STOP_WORDS = frozenset(
    {"/stop", "stop", "esc", "abort", "wait", "exit", "interrupt", "halt", "please stop", "stop please"}
    | {"stopp", "arrêt", "arrête", "pare", "parar", "detente", "ferma", "fermati", "стоп", "停止", "やめて"}
)
_TRAILING = ".!?\u2026\u3002\uff01\uff1f "


class OrderWord(Struct, frozen=True):
    """An order as people are told about it. `words` are what they write; with `takes_text` text may follow."""

    words: tuple[str, ...]
    about: str
    category: str
    takes_text: bool = False


ORDER_WORDS = (
    OrderWord(
        ("/new", "/reset"), "begin a new conversation; text after it is the first message", "session", takes_text=True
    ),
    OrderWord(("/stop",), "stop what I am doing", "session"),
    OrderWord(("/status",), "model, session and tokens", "status"),
    OrderWord(("/whoami", "/id"), "how I see you", "status"),
    OrderWord(("/help", "/commands"), "this list", "status"),
)
HELP = "\n".join(
    (
        "**What I understand without a model**",
        *(f"- {' or '.join(f'`{word}`' for word in each.words)}: {each.about}" for each in ORDER_WORDS),
    )
)


class Order(Struct, frozen=True):
    """An order: `name` without its slash, `rest` the text behind it."""

    name: str
    rest: str = ""


def is_stop_word(text: str) -> bool:
    """Tell whether a whole message asks to stop, in any of several languages; trailing punctuation is ignored."""
    return text.strip().lower().rstrip(_TRAILING) in STOP_WORDS


def read_order(message: InboundMessage, reset_triggers: tuple[str, ...]) -> Order | None:
    """Return the order a message is, None for ordinary text."""
    if message.label.integrity < Integrity.USER or _is_verbatim(message):
        return None
    head, _, rest = message.text.strip().partition(" ")
    word = head.lower().removesuffix(":")
    if word in reset_triggers:
        return Order("new", rest.strip())
    if rest.strip() or word not in {"/status", "/whoami", "/id", "/help", "/commands"}:
        return None
    return Order({"/id": "whoami", "/commands": "help"}.get(word, word[1:]))


def _is_verbatim(message: InboundMessage) -> bool:
    """Tell whether its sender wants the text to go to the model whatever it says."""
    origin = message.payload.get("origin")
    return isinstance(origin, dict) and cast("dict[str, object]", origin).get("verbatim") is True


def describe_sender(message: InboundMessage) -> str:
    """Return how a sender is seen: channel, id, name, chat."""
    address = message.address
    lines = [f"Channel: {address.channel} ({address.account})", f"Your id: {message.sender_id}"]
    if message.sender_name:
        lines.append(f"Name: {message.sender_name}")
    return "\n".join([*lines, f"Chat: {address.chat}", f"Session: {message.session_key}"])
