"""Asking a model for the name of a topic, counted like every other call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from homarus.channels.sdk.characters import strip_controls
from homarus.errors import Transient
from homarus.models.contract import Completed, Failed, ModelRequest, Text, UserMessage
from homarus.storage import usage

if TYPE_CHECKING:
    from homarus.clock import Clock
    from homarus.models.contract import Model
    from homarus.storage.database import Connection, Database
    from homarus.storage.records import InboundMessage

PROMPT: Final = (
    "Name the conversation that begins with this message: two to five words, in the language of the message, without"
    " quotation marks and without a full stop. Answer with the name alone."
)
LONGEST_MESSAGE: Final = 2_000
"""Characters of the message that the model reads."""
LONGEST_NAME: Final = 64
"""Characters of a name; more does not fit into a list on a phone."""
_MARKS: Final = "\"'`*_#“”„«» "
TOKENS: Final = 256
"""Reasoning models spend tokens before the first visible word."""


async def ask_for_name(database: Database, clock: Clock, model: Model, message: InboundMessage, prompt: str) -> str:
    """Return a name for the topic that a message began. Raises Transient when the model gives none."""
    question = UserMessage((Text(message.text[:LONGEST_MESSAGE]),))
    request = ModelRequest(model.info.id, prompt or PROMPT, (question,), max_output_tokens=TOKENS)
    async for event in model.stream(request):
        if isinstance(event, Failed):
            raise Transient(event.message)
        if isinstance(event, Completed):
            await database.write(_count, str(message.agent_id), model, event, clock.now_ms())
            return _cleaned(event.message.text)
    raise Transient(f"{model.info.ref} ended its answer without an end")


def _cleaned(text: str) -> str:
    """Return the first line of an answer as a name."""
    line = next((line for line in strip_controls(text).splitlines() if line.strip()), "")
    name = " ".join(line.split()).lstrip(_MARKS).rstrip(f"{_MARKS}.")
    if not name:
        raise Transient("the model gave no name")
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 3].rstrip()}..."


def _count(connection: Connection, agent_id: str, model: Model, answer: Completed, now: int) -> None:
    day = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%d")
    used = answer.usage
    usage.add_usage(
        connection,
        agent_id,
        day,
        model.info.provider,
        model.info.id,
        input_tokens=used.input_tokens or 0,
        output_tokens=used.output_tokens or 0,
        cache_read_tokens=used.cache_read_tokens or 0,
        cache_write_tokens=used.cache_write_tokens or 0,
    )
