"""Replies that are spoken as well, when that is switched on: the sound follows the text (reference voice §4)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from homarus.agent.events import TurnFinished
from homarus.errors import HomarusError, UserError
from homarus.gateway.transcript import is_silent, visible_text

if TYPE_CHECKING:
    from homarus.gateway.outgoing_files import OutgoingFiles
    from homarus.gateway.services import Sender
    from homarus.ids import Address
    from homarus.nodes.voice.speaker import Speaker
    from homarus.pipeline.contract import RunEvent

log = logging.getLogger("homarus.gateway.speech")

ALWAYS: Final = "always"
SHORTEST: Final = 10
"""Characters below which a reply is not spoken."""
LONGEST: Final = 1500
"""Characters that are spoken; what is longer is cut."""
MAX_WAITING: Final = 32
"""Replies that wait to be spoken; further ones are sent as text only."""


class SpokenReplies:
    """Hears of every reply; `run` belongs to a supervisor. A reply is never held up by its sound, or lost with it."""

    def __init__(self, speaker: Speaker, files: OutgoingFiles, sender: Sender) -> None:
        self._speaker = speaker
        self._files = files
        self._sender = sender
        self._waiting: asyncio.Queue[tuple[str, Address, str]] = asyncio.Queue(MAX_WAITING)

    def listen(self, event: RunEvent) -> None:
        """Note a reply that went to a chat; the pipeline's listener."""
        finished, run = event.event, event.run
        if not isinstance(finished, TurnFinished) or run.address is None or is_silent(finished.text, run.run_id):
            return
        try:
            self._waiting.put_nowait((run.run_id, run.address, visible_text(finished.text)))
        except asyncio.QueueFull:
            log.warning("the reply of run %s is not spoken: %d others wait for that", run.run_id, MAX_WAITING)

    async def run(self) -> None:
        """Speak what waits, one after the other."""
        while True:
            run_id, address, text = await self._waiting.get()
            try:
                await self._speak(run_id, address, text)
            except HomarusError as error:
                log.warning("the reply of run %s was not spoken: %s", run_id, error.message)

    async def _speak(self, run_id: str, address: Address, text: str) -> None:
        spoken = _spoken(text)
        if len(spoken) < SHORTEST or not self._takes_files(address) or await self._speaker.auto() != ALWAYS:
            return
        speech = await self._speaker.say(spoken, address.channel)
        from homarus.pipeline.attachments import Attached  # noqa: PLC0415 - with the first reply that is spoken

        name = f"reply.{'ogg' if speech.format == 'opus' else speech.format}"
        kept = await self._files.keep(name, speech.mime_type or "application/octet-stream", speech.audio)
        await self._sender.send(f"speech:{run_id}", address, "", None, within=0, files=[Attached(kept)])

    def _takes_files(self, address: Address) -> bool:
        if self._files.accounts.is_transcript(address.channel):
            return False
        try:
            self._files.most_bytes(address)
        except UserError:
            return False
        return True


def _spoken(text: str) -> str:
    """Return a reply as it is said: without Markdown, and not longer than somebody listens."""
    from homarus.channels.sdk.markup import render  # noqa: PLC0415 - with the first reply that may be spoken

    plain = " ".join(render(text, "plain").split())
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}..."
