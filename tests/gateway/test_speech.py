"""Speech and talk mode over a connection, with a small program that stands in for espeak-ng."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.fake_clock import FakeClock
from tests.gateway.fake_services import TOKEN, FixedConfig, make_services
from tests.gateway.raw_client import RawClient, connected
from tests.nodes.voice.stand_ins import ESPEAK, FFMPEG, install, speech_server

from homarus.config.load import load_text
from homarus.gateway.server import GatewayServer
from homarus.gateway.settings import AuthSettings, GatewaySettings
from homarus.models.http import HttpClient
from homarus.nodes.voice.speaker import Speaker

SECRET = "sk-very-secret"


@asynccontextmanager
async def speaking(
    folder: Path, config: Mapping[str, object] | None = None, *, scopes: list[str] | None = None, **programs: str
) -> AsyncGenerator[RawClient]:
    """A gateway with these programs on its PATH."""
    services, _ = make_services(folder, clock=FakeClock())
    loaded = load_text(json.dumps(config or {}), folder / "homarus.json", install(folder / "bin", **programs))
    http = HttpClient()
    speaker = Speaker(lambda: loaded, services.database, services.clock, http, folder / "speech")
    services = replace(services, config=FixedConfig(loaded), speaker=speaker)
    server = GatewayServer(services, GatewaySettings(auth=AuthSettings(token=TOKEN)))
    await server.start(port=0)
    extra: dict[str, Any] = {} if scopes is None else {"scopes": scopes}
    async with connected(f"ws://127.0.0.1:{server.port}", **extra) as client:
        yield client
    await server.stop()
    await http.close()
    await services.database.close()


async def ok(client: RawClient, method: str, params: object = None) -> Any:
    answer = await client.call(method, params)
    assert answer["ok"], answer
    return answer["payload"]


async def failed(client: RawClient, method: str, params: object) -> Any:
    answer = await client.call(method, params)
    assert not answer["ok"], answer
    return answer["error"]


async def test_a_text_becomes_a_file_only_the_owner_can_read(tmp_path: Path) -> None:
    async with speaking(tmp_path, espeak_ng=ESPEAK, ffmpeg=FFMPEG) as client:
        found = await ok(client, "tts.convert", {"text": " hello "})
        path = Path(found["audioPath"])
        assert (found["provider"], found["outputFormat"], found["voiceCompatible"]) == ("espeak-ng", "wav", False)
        assert (path.read_bytes()[:4], path.stat().st_mode & 0o777) == (b"RIFF", 0o600)
        note = await ok(client, "tts.convert", {"text": "hello", "channel": "telegram"})
        assert (note["outputFormat"], note["voiceCompatible"], Path(note["audioPath"]).suffix) == ("opus", True, ".ogg")


async def test_without_a_provider_the_refusal_names_what_to_do(tmp_path: Path) -> None:
    async with speaking(tmp_path) as client:
        assert "no speech provider is set up" in (await failed(client, "tts.convert", {"text": "hi"}))["message"]
        status = await ok(client, "tts.status")
        assert (status["enabled"], status["provider"], status["fallbackProvider"]) == (False, "", None)
        assert [row["configured"] for row in status["providerStates"]] == [False, False, False]


@pytest.mark.parametrize("params", [{}, {"text": " "}, {"text": 1}, {"text": "x" * 20_001}, {"text": "x" * 5000}])
async def test_a_text_that_cannot_be_spoken_is_refused(tmp_path: Path, params: object) -> None:
    async with speaking(tmp_path, espeak_ng=ESPEAK) as client:
        assert (await failed(client, "tts.convert", params))["code"] == "INVALID_REQUEST"


async def test_a_choice_is_kept_and_the_next_provider_steps_in(tmp_path: Path) -> None:
    async with speech_server() as server:
        config: dict[str, object] = {"messages": {"tts": {"providers": {"openai": {"baseUrl": server.url}}}}}
        async with speaking(tmp_path, config, espeak_ng=ESPEAK) as client:
            assert (await ok(client, "tts.providers"))["active"] == "openai"
            assert await ok(client, "tts.setProvider", {"provider": "espeak-ng"}) == {"provider": "espeak-ng"}
            assert "unknown speech provider" in (await failed(client, "tts.setProvider", {"provider": "x"}))["message"]
            assert await ok(client, "tts.enable") == {"enabled": True}
        async with speaking(tmp_path, config, espeak_ng=ESPEAK) as client:
            status = await ok(client, "tts.status")
            assert (status["auto"], status["provider"], status["fallbackProviders"]) == (
                "always",
                "espeak-ng",
                ["openai"],
            )
            assert (await ok(client, "tts.convert", {"text": "crash"}))["provider"] == "openai"
            server.answer = (500, b"broken")
            both = (await failed(client, "tts.convert", {"text": "crash"}))["message"]
            assert both.startswith("TTS conversion failed: espeak-ng: ")
            assert "openai: " in both
            assert await ok(client, "tts.disable") == {"enabled": False}
            assert (await ok(client, "tts.status"))["auto"] == "off"


async def test_talk_mode_says_why_a_device_has_to_speak_itself(tmp_path: Path) -> None:
    for config, reason in (
        ({}, "talk_unconfigured"),
        ({"talk": {"provider": "mystery"}}, "talk_provider_unsupported"),
        ({"talk": {"provider": "piper"}}, "method_unavailable"),
    ):
        async with speaking(tmp_path, config) as client:
            error = await failed(client, "talk.speak", {"text": "hi"})
            assert (error["code"], error["details"]) == ("UNAVAILABLE", {"reason": reason, "fallbackEligible": True})
        (tmp_path / "homarus.db").unlink()


async def test_talk_mode_speaks_with_aliases_and_speed(tmp_path: Path) -> None:
    talk: dict[str, object] = {"talk": {"providers": {"espeak-ng": {"voiceAliases": {"Anna": "de"}}}}}
    async with speaking(tmp_path, talk, espeak_ng=ESPEAK) as client:
        found = await ok(client, "talk.speak", {"text": "hi", "voiceId": "anna", "rateWpm": 210})
        assert base64.b64decode(found["audioBase64"])[:4] == b"RIFF"
        assert (found["provider"], found["mimeType"], found["fileExtension"]) == ("espeak-ng", "audio/wav", ".wav")
        assert "-v de -s 210" in (tmp_path / "bin" / "espeak-ng.log").read_text()
        error = await failed(client, "talk.speak", {"text": "crash"})
        assert error["details"] == {"reason": "synthesis_failed", "fallbackEligible": False}
        for params in ({"text": " "}, {"text": "x", "speed": 2}, {"text": "x", "rateWpm": 0}, {"text": "x", "loud": 1}):
            assert (await failed(client, "talk.speak", params))["code"] == "INVALID_REQUEST"


async def test_talk_settings_hide_secrets_unless_the_caller_may_see_them(tmp_path: Path) -> None:
    config: dict[str, object] = {
        "talk": {
            "providers": {"openai": {"apiKey": SECRET, "voiceId": "nova"}},
            "silenceTimeoutMs": 900,
        },
        "ui": {"seamColor": "#008080"},
    }
    async with speaking(tmp_path, config) as client:
        found = (await ok(client, "talk.config"))["config"]
        assert SECRET not in json.dumps(found)
        assert (found["talk"]["resolved"]["provider"], found["talk"]["silenceTimeoutMs"]) == ("openai", 900)
        assert (found["session"], found["ui"]) == ({"mainKey": "main"}, {"seamColor": "#008080"})
        shown = (await ok(client, "talk.config", {"includeSecrets": True}))["config"]
        assert shown["talk"]["resolved"]["config"]["apiKey"] == SECRET
    async with speaking(tmp_path, config, scopes=["operator.read"]) as reader:
        error = await failed(reader, "talk.config", {"includeSecrets": True})
        assert error["message"] == "missing scope: operator.talk.secrets"


async def test_talk_mode_is_told_to_everyone(tmp_path: Path) -> None:
    async with speaking(tmp_path) as client:
        told = await ok(client, "talk.mode", {"enabled": True, "phase": "listening"})
        assert await client.event("talk.mode") == told
        assert told["phase"] == "listening"
        assert (await failed(client, "talk.mode", {"enabled": 1}))["code"] == "INVALID_REQUEST"
