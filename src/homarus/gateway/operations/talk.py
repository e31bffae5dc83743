"""Talk mode: its settings, speaking a reply, and telling everyone how it stands (reference voice §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.gateway.operations.speech import speaker_of
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.events import TALK_MODE
from homarus.protocol.frames import JsonObject
from homarus.protocol.page_lists import TalkCatalogParams
from homarus.protocol.scopes import Scope
from homarus.protocol.speech import TalkConfigParams, TalkModeParams, TalkSpeakParams
from homarus.sessions.keys import MAIN

if TYPE_CHECKING:
    from homarus.config.talk import Talk
    from homarus.errors import ProtocolError
    from homarus.nodes.voice.contract import Provider

HIDDEN: Final = "__OPENCLAW_REDACTED__"
"""What clients expect in place of a secret."""
NORMAL_RATE: Final = 175
"""Words per minute of speed 1.0."""
SLOWEST, FASTEST = 0.5, 2.0
_PHONES = frozenset({"ios", "android"})
_TALKS_ELSEWHERE = frozenset({"talk_unconfigured", "talk_provider_unsupported", "method_unavailable"})
"""Reasons for which a device speaks with its own voice instead."""


@operation("talk.config", scope=Scope.READ)
async def talk_config(call: Call, params: TalkConfigParams) -> JsonObject:
    """Return the talk settings; secrets only for `operator.talk.secrets`."""
    config = call.services.config.current.config
    shown: JsonObject = {"session": {"mainKey": MAIN}}
    talk = config.talk
    provider = _chosen(talk)
    if provider is not None:
        shown["talk"] = _talk(talk, provider, has_secrets=params.include_secrets is True)
    colour = (config.ui or {}).get("seamColor")
    if isinstance(colour, str):
        shown["ui"] = {"seamColor": colour}
    return {"config": shown}


@operation("talk.catalog", scope=Scope.READ)
async def talk_catalog(call: Call, params: TalkCatalogParams) -> JsonObject:  # noqa: ARG001
    """List ways to talk with the assistant; replies can be spoken, nothing listens yet."""
    voices: list[JsonObject] = [
        {"id": each.id, "label": each.label, "configured": each.missing() is None, "voices": list(each.voices)}
        for each in (call.services.speaker.providers().values() if call.services.speaker is not None else ())
    ]
    none: JsonObject = {"ready": False, "providers": []}
    speech: JsonObject = {"ready": any(each["configured"] for each in voices), "providers": voices}
    return {"modes": [], "transports": [], "brains": [], "speech": speech, "transcription": none, "realtime": none}


@operation("talk.mode", scope=Scope.WRITE)
async def talk_mode(call: Call, params: TalkModeParams) -> JsonObject:
    """Tell everyone whether somebody talks with the assistant, and how far they are."""
    if call.caller.client_mode == "webchat" and not _has_phone(call):
        raise unavailable("talk disabled: no connected iOS/Android nodes")
    told: JsonObject = {"enabled": params.enabled, "phase": params.phase, "ts": call.services.clock.now_ms()}
    call.core.hub.broadcast(TALK_MODE, told)
    return told


@operation("talk.speak", scope=Scope.WRITE)
async def talk_speak(call: Call, params: TalkSpeakParams) -> JsonObject:
    """Speak a reply with the provider of talk mode and return the sound."""
    import base64  # noqa: PLC0415 - with what follows, only for gateways that speak

    from homarus.nodes.voice.contract import SpeechFailed, Voicing  # noqa: PLC0415

    text = params.text.strip()
    if not text:
        raise invalid("talk.speak requires text")
    speed = _speed(params)
    provider = _provider(call)
    talk = call.services.config.current.config.talk
    voice = _voice(talk, provider.id, params.voice_id)
    voicing = Voicing(voice, params.model_id, params.language, speed, params.output_format)
    try:
        speech = await speaker_of(call).speak(provider, text, voicing)
    except SpeechFailed as failure:
        raise _failed("synthesis_failed", failure.message) from failure
    result: JsonObject = {
        "audioBase64": base64.b64encode(speech.audio).decode(),
        "provider": speech.provider,
        "outputFormat": speech.format,
        "voiceCompatible": speech.is_voice_note,
        "mimeType": speech.mime_type,
        "fileExtension": f".{speech.format}",
    }
    return {name: value for name, value in result.items() if value is not None}


def _provider(call: Call) -> Provider:
    talk = call.services.config.current.config.talk
    chosen = _chosen(talk)
    if chosen is None:
        raise _failed("talk_unconfigured", "talk mode has no provider; set talk.provider")
    provider = speaker_of(call).providers(is_talk=True).get(chosen)
    if provider is None:
        raise _failed("talk_provider_unsupported", f"talk.provider {chosen!r} cannot speak at this gateway")
    if (why := provider.missing()) is not None:
        raise _failed("method_unavailable", f"{provider.label} cannot speak: {why}")
    return provider


def _speed(params: TalkSpeakParams) -> float | None:
    speed = params.speed if params.speed is not None else None
    if speed is None and params.rate_wpm is not None:
        speed = params.rate_wpm / NORMAL_RATE
    if speed is not None and not SLOWEST < speed < FASTEST:
        raise invalid(f"invalid talk.speak params: speed must lie between {SLOWEST:g} and {FASTEST:g}")
    return speed


def _voice(talk: Talk, provider: str, wanted: str | None) -> str | None:
    """Return a voice by its alias, or as it was named; the configured one when none was."""
    settings: Mapping[str, object] = (found.model_extra or {}) if (found := talk.providers.get(provider)) else {}
    named = wanted or settings.get("voiceId")
    aliases = settings.get("voiceAliases")
    if isinstance(aliases, dict) and isinstance(named, str):
        for alias, voice in cast("Mapping[str, object]", aliases).items():
            if alias.lower() == named.strip().lower():
                return str(voice)
    return named if isinstance(named, str) else None


def _failed(reason: str, message: str) -> ProtocolError:
    return unavailable(message, {"reason": reason, "fallbackEligible": reason in _TALKS_ELSEWHERE})


def _chosen(talk: Talk) -> str | None:
    """Return the provider of talk mode: the named one, else the only one that has settings."""
    return talk.provider or (next(iter(talk.providers)) if len(talk.providers) == 1 else None)


def _talk(talk: Talk, provider: str, *, has_secrets: bool) -> JsonObject:
    providers: JsonObject = {}
    for name, settings in talk.providers.items():
        row: JsonObject = dict(settings.model_extra or {})
        if settings.api_key is not None:
            row["apiKey"] = settings.api_key.reveal() if has_secrets else HIDDEN
        providers[name] = row
    shown: JsonObject = {
        "provider": provider,
        "providers": providers,
        "resolved": {"provider": provider, "config": providers.get(provider, {})},
        "interruptOnSpeech": talk.interrupt_on_speech,
        "silenceTimeoutMs": talk.silence_timeout_ms,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _has_phone(call: Call) -> bool:
    from homarus.nodes.policy import platform_of  # noqa: PLC0415 - asked by web pages only

    nodes = call.core.nodes.registry.list()
    return any(platform_of(node.facts.platform, node.facts.device_family) in _PHONES for node in nodes)
