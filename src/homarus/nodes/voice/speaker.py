"""Choosing a provider, falling back to the next, and keeping what was said as files for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct

from homarus.clock import Clock
from homarus.errors import UserError
from homarus.models.http import HttpClient
from homarus.nodes.voice.contract import Provider, Speech, SpeechFailed, Voicing
from homarus.storage import kv
from homarus.storage.database import Database

if TYPE_CHECKING:
    from homarus.config.load import LoadedConfig
    from homarus.config.secret import Secret
    from homarus.config.speech import SpeechProvider
    from homarus.config.talk import TalkProvider

KEEP_MS: Final = 5 * 60 * 1000
"""How long a file of speech is kept (reference voice §3)."""
MAX_AT_ONCE: Final = 2
"""Texts that become speech at the same time; others wait."""
_PREFERENCES = ("speech", "preferences")
_NOTE_CHANNELS = frozenset({"telegram", "whatsapp", "matrix", "feishu"})
"""Channels that show voice notes (reference voice §4)."""


class Preferences(Struct, frozen=True):
    """What was chosen at run time, over the configuration; None where nothing was."""

    is_enabled: bool | None = None
    provider: str | None = None


class Speaker:
    """Speaks with the configuration in force."""

    def __init__(
        self, config: Callable[[], LoadedConfig], database: Database, clock: Clock, http: HttpClient, folder: Path
    ) -> None:
        self._config = config
        self._database = database
        self._clock = clock
        self._http = http
        self._folder = folder
        self._places = asyncio.Semaphore(MAX_AT_ONCE)

    async def preferences(self) -> Preferences:
        """Return what was chosen at run time."""
        found = await self._database.read(kv.get_value, *_PREFERENCES)
        stored: Mapping[str, object] = cast("Mapping[str, object]", found) if isinstance(found, dict) else {}
        enabled, provider = stored.get("enabled"), stored.get("provider")
        return Preferences(
            enabled if isinstance(enabled, bool) else None, provider if isinstance(provider, str) else None
        )

    async def choose(self, *, is_enabled: bool | None = None, provider: str | None = None) -> None:
        """Store a choice; None leaves that part as it is. Raises UserError for a provider that does not exist."""
        if provider is not None and provider not in self.providers():
            raise UserError(
                f"unknown speech provider {provider[:64]!r}", fix=f"choose one of {', '.join(self.providers())}"
            )
        known = await self.preferences()
        value = {
            "enabled": known.is_enabled if is_enabled is None else is_enabled,
            "provider": known.provider if provider is None else provider,
        }
        await self._database.write(kv.put_value, *_PREFERENCES, value, self._clock.now_ms())

    async def auto(self) -> str:
        """Return when replies are to be spoken: off, always, inbound or tagged."""
        chosen, tts = (await self.preferences()).is_enabled, self._config().config.messages.tts
        if chosen is not None:
            return "always" if chosen else "off"
        return "always" if tts.enabled and tts.auto == "off" else tts.auto

    def providers(self, *, is_talk: bool = False) -> dict[str, Provider]:
        """Return every provider, the first choice first; talk mode may have settings of its own."""
        from homarus.nodes.voice.local import Espeak, Piper  # noqa: PLC0415 - only a gateway that speaks needs them
        from homarus.nodes.voice.service import OpenAiSpeech  # noqa: PLC0415

        env = self._config().env
        openai, key = self._settings("openai", is_talk=is_talk)
        made: tuple[Provider, ...] = (
            OpenAiSpeech(openai, key or env.get("OPENAI_API_KEY"), env, self._http),
            Piper(self._settings("piper", is_talk=is_talk)[0], env),
            Espeak(self._settings("espeak-ng", is_talk=is_talk)[0], env),
        )
        return {each.id: each for each in made}

    async def order(self) -> list[Provider]:
        """Return the providers that can speak, in the order they are tried."""
        known = self.providers()
        wanted = (await self.preferences()).provider or self._config().config.messages.tts.provider
        ready = [each for each in known.values() if each.missing() is None]
        return sorted(ready, key=lambda each: each.id != wanted)

    async def convert(self, text: str, channel: str | None) -> tuple[Path, Speech]:
        """Speak with the first provider that can, and keep it as a file for a while. Raises what `say` does."""
        speech = await self.say(text, channel)
        return await asyncio.to_thread(self._keep, speech), speech

    async def say(self, text: str, channel: str | None) -> Speech:
        """Speak with the first provider that can, as a voice note for channels that have them.

        Raises UserError for a text that is empty or too long and when nobody can speak.
        """
        self._check(text)
        voicing = Voicing(is_note=channel in _NOTE_CHANNELS)
        failures: list[str] = []
        for provider in await self.order():
            try:
                return await self.speak(provider, text, voicing)
            except SpeechFailed as failure:
                failures.append(f"{provider.id}: {failure.message}")
        if failures:
            raise UserError(f"TTS conversion failed: {'; '.join(failures)}")
        ways = "; ".join(f"{each.id}: {each.missing()}" for each in self.providers().values())
        raise UserError("no speech provider is set up", fix=ways)

    async def speak(self, provider: Provider, text: str, voicing: Voicing) -> Speech:
        """Speak with one provider. Raises SpeechFailed."""
        limit = self._config().config.messages.tts.timeout_ms / 1000
        async with self._places:
            try:
                async with asyncio.timeout(limit):
                    return await provider.speak(text, voicing)
            except TimeoutError as error:
                raise SpeechFailed("timeout", f"{provider.label} did not finish within {limit:g} s") from error

    def _check(self, text: str) -> None:
        limit = self._config().config.messages.tts.max_text_length
        if not text.strip():
            raise UserError("there is no text to speak")
        if len(text) > limit:
            raise UserError(f"the text is too long ({len(text)} characters)", fix=f"at most {limit} can be spoken")

    def _settings(self, provider: str, *, is_talk: bool) -> tuple[Mapping[str, object], str | None]:
        """Return the settings of a provider, and its secret; those of `talk` lie over those of `messages.tts`."""
        config = self._config().config
        found: dict[str, object] = {}
        secret: Secret | None = None
        places: list[SpeechProvider | TalkProvider | None] = [config.messages.tts.providers.get(provider)]
        if is_talk:
            places.append(config.talk.providers.get(provider))
        for place in (each for each in places if each is not None):
            found |= place.model_extra or {}
            secret = place.api_key or secret
        return found, secret.reveal() if secret is not None else None

    def _keep(self, speech: Speech) -> Path:
        """Write a file only the owner can read; older ones go."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = self._clock.now_ms()
        for old in self._folder.iterdir():
            if old.is_file() and old.stat().st_mtime * 1000 < now - KEEP_MS:
                old.unlink(missing_ok=True)
        path = self._folder / f"speech-{self._clock.uuid()}.{'ogg' if speech.format == 'opus' else speech.format}"
        path.touch(mode=0o600)
        path.write_bytes(speech.audio)
        return path
