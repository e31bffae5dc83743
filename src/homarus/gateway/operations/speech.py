"""Text to speech: how it stands, which provider speaks, and speaking (reference 02, TTS)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, Post, operation
from homarus.protocol.base import IgnoredParams
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.speech import TtsConvertParams, TtsProviderParams

if TYPE_CHECKING:
    from homarus.nodes.voice.speaker import Speaker


@operation("tts.status", scope=Scope.READ, rest=Get("/api/tts"))
async def tts_status(call: Call, params: IgnoredParams) -> JsonObject:  # noqa: ARG001
    """Return how speech stands: when replies are to be spoken, who speaks, and who is set up."""
    speaker = speaker_of(call)
    ready = [each.id for each in await speaker.order()]
    auto = await speaker.auto()
    states: list[JsonObject] = [
        {"id": each.id, "label": each.label, "configured": each.missing() is None}
        for each in speaker.providers().values()
    ]
    return {
        "enabled": auto != "off",
        "auto": auto,
        "provider": ready[0] if ready else "",
        "fallbackProvider": ready[1] if len(ready) > 1 else None,
        "fallbackProviders": ready[1:],
        "prefsPath": str(call.services.state_dir / "homarus.db"),
        "providerStates": states,
    }


@operation("tts.providers", scope=Scope.READ)
async def tts_providers(call: Call, params: IgnoredParams) -> JsonObject:  # noqa: ARG001
    """List the speech providers, with what can be chosen of each."""
    speaker = speaker_of(call)
    ready = await speaker.order()
    rows: list[JsonObject] = [
        {
            "id": each.id,
            "name": each.label,
            "configured": each.missing() is None,
            "models": list(each.models),
            "voices": list(each.voices),
        }
        for each in speaker.providers().values()
    ]
    return {"providers": rows, "active": ready[0].id if ready else ""}


@operation("tts.enable", scope=Scope.WRITE)
async def tts_enable(call: Call, params: IgnoredParams) -> JsonObject:  # noqa: ARG001
    """Have every reply spoken as well, where the chat takes files; kept over restarts, above the configuration."""
    await speaker_of(call).choose(is_enabled=True)
    return {"enabled": True}


@operation("tts.disable", scope=Scope.WRITE)
async def tts_disable(call: Call, params: IgnoredParams) -> JsonObject:  # noqa: ARG001
    """Have no reply spoken."""
    await speaker_of(call).choose(is_enabled=False)
    return {"enabled": False}


@operation("tts.setProvider", scope=Scope.WRITE)
async def tts_set_provider(call: Call, params: TtsProviderParams) -> JsonObject:
    """Choose who speaks first; kept over restarts, above the configuration."""
    provider = params.provider.strip().lower()
    await speaker_of(call).choose(provider=provider)
    return {"provider": provider}


@operation("tts.convert", scope=Scope.WRITE, rest=Post("/api/tts"))
async def tts_convert(call: Call, params: TtsConvertParams) -> JsonObject:
    """Speak a text into a file that is kept for five minutes; a voice note for channels that have them."""
    if not params.text.strip():
        raise invalid("tts.convert requires text")
    path, speech = await speaker_of(call).convert(params.text.strip(), params.channel)
    return {
        "audioPath": str(path),
        "provider": speech.provider,
        "outputFormat": speech.format,
        "voiceCompatible": speech.is_voice_note,
    }


def speaker_of(call: Call) -> Speaker:
    """Return what speaks. Raises ProtocolError on a gateway without it."""
    speaker = call.services.speaker
    if speaker is None:
        raise unavailable("this gateway has no speech")
    return speaker
