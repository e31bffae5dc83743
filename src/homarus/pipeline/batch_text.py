"""What a run is told when several messages are answered at once."""

from __future__ import annotations

from homarus.pipeline.lanes import Batch, is_shortened
from homarus.storage.records import InboundMessage

PREVIEW = 200
TITLE = 60


def text_of(batch: Batch) -> str:
    """Return the messages of a batch as one text: first the beginnings of those that were too many."""
    short = [message for message in batch if is_shortened(message)]
    whole = [message for message in batch if not is_shortened(message)]
    lines: list[str] = []
    if short:
        lines.append(f"[{len(short)} earlier message(s) were too many to take whole; this is how they begin]")
        lines += [f"-{_who(message)} {message.text}" for message in short]
    if len(whole) == 1:
        lines.append(_with_quote(whole[0]))
    elif whole:
        lines.append("[Messages that came in while you were busy]")
        numbered = enumerate(whole, start=1)
        lines += [f"--- Queued #{number}{_who(message)}\n{_with_quote(message)}" for number, message in numbered]
    return "\n".join(lines)


def title_of(message: InboundMessage) -> str:
    """Return what a conversation that begins with a message is called."""
    return " ".join(message.text.split())[:TITLE]


def preview_of(batch: Batch) -> str:
    """Return the last message in a line."""
    return " ".join(batch[-1].text.split())[:PREVIEW]


def _who(message: InboundMessage) -> str:
    return f" ({message.sender_name or message.sender_id})" if message.kind == "group" else ""


def _with_quote(message: InboundMessage) -> str:
    quoted = message.payload.get("quoted")
    if not quoted:
        return message.text
    lines = "\n".join(f"> {line}" for line in str(quoted).splitlines())
    return f"{lines}\n{message.text}"
