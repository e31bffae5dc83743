"""Speech services: any server that speaks OpenAI's `/audio/speech`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from homarus.models.http import HttpClient, HttpFailure, HttpReply
from homarus.nodes.voice.contract import MAX_AUDIO, Speech, SpeechFailed, Voicing

DEFAULT_URL: Final = "https://api.openai.com/v1"
DEFAULT_MODEL: Final = "gpt-4o-mini-tts"
DEFAULT_VOICE: Final = "coral"
VOICES: Final = (
    *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"),
    *("juniper", "marin", "nova", "onyx", "sage", "shimmer", "verse"),
)
FORMATS: Final = frozenset({"mp3", "opus", "aac", "flac", "wav", "pcm"})


class OpenAiSpeech(Struct, frozen=True):
    """Settings: `apiKey`, `baseUrl`, `model`, `voice`, `speed`, `instructions`. `key` is the revealed secret."""

    settings: Mapping[str, object]
    key: str | None
    variables: Mapping[str, str]
    http: HttpClient
    id: str = "openai"
    label: str = "OpenAI"
    models: tuple[str, ...] = (DEFAULT_MODEL, "tts-1", "tts-1-hd")
    voices: tuple[str, ...] = VOICES

    @property
    def base_url(self) -> str:
        """Return the address of the service, without a slash at the end."""
        named = self.settings.get("baseUrl") or self.variables.get("OPENAI_TTS_BASE_URL") or DEFAULT_URL
        return str(named).rstrip("/")

    def missing(self) -> str | None:
        """Return what has to be set up."""
        if urlsplit(self.base_url).scheme not in {"http", "https"}:
            return "set messages.tts.providers.openai.baseUrl to an http or https address"
        if self.key or self.base_url != DEFAULT_URL:
            return None
        return "set messages.tts.providers.openai.apiKey, or OPENAI_API_KEY, or a baseUrl of your own"

    async def speak(self, text: str, voicing: Voicing) -> Speech:
        """Speak; see Provider."""
        if (why := self.missing()) is not None:
            raise SpeechFailed("not_configured", "the speech service is not set up", fix=why)
        named = (voicing.format or ("opus" if voicing.is_note else "mp3")).partition("_")[0].lower()
        wanted = named if named in FORMATS else "mp3"
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        body = json.dumps(self._body(text, voicing, wanted)).encode()
        try:
            async with self.http.post(f"{self.base_url}/audio/speech", headers, body) as reply:
                audio = await _audio(reply)
        except HttpFailure as failure:
            raise SpeechFailed("provider_error", f"the speech service {failure.message}") from failure
        return Speech(audio, self.id, wanted)

    def _body(self, text: str, voicing: Voicing, wanted: str) -> dict[str, object]:
        model = voicing.model or str(self.settings.get("model") or DEFAULT_MODEL)
        body: dict[str, object] = {
            "model": model,
            "input": text,
            "voice": voicing.voice or str(self.settings.get("voice") or DEFAULT_VOICE),
            "response_format": wanted,
        }
        speed = voicing.speed or self.settings.get("speed")
        if isinstance(speed, int | float):
            body["speed"] = speed
        if self.settings.get("instructions") and model.startswith("gpt-4o"):
            body["instructions"] = str(self.settings["instructions"])
        return body


async def _audio(reply: HttpReply) -> bytes:
    if reply.status != 200:
        said = (await reply.read_up_to(400)).decode("utf-8", "replace").strip()
        raise SpeechFailed("provider_error", f"the speech service answered {reply.status}: {said[:200]}")
    audio = await reply.read_up_to(MAX_AUDIO + 1)
    if not audio or len(audio) > MAX_AUDIO:
        what = "nothing" if not audio else f"more than {MAX_AUDIO // 2**20} MB"
        raise SpeechFailed("provider_error", f"the speech service sent {what}")
    return audio
