"""A speech service over HTTP."""

from __future__ import annotations

import pytest
from tests.nodes.voice.stand_ins import speech_server

from homarus.models.http import HttpClient
from homarus.nodes.voice.contract import MAX_AUDIO, SpeechFailed, Voicing
from homarus.nodes.voice.service import OpenAiSpeech


async def test_the_service_is_asked_with_key_model_voice_and_format() -> None:
    async with speech_server() as server:
        http = HttpClient()
        settings = {"baseUrl": server.url + "/", "voice": "nova", "instructions": "cheerful"}
        speech = await OpenAiSpeech(settings, "sk-1", {}, http).speak("hello", Voicing(is_note=True, speed=1.2))
        assert (speech.audio, speech.format, speech.is_voice_note) == (b"ID3sound", "opus", True)
        assert server.asked == [
            {
                "model": "gpt-4o-mini-tts",
                "input": "hello",
                "voice": "nova",
                "response_format": "opus",
                "speed": 1.2,
                "instructions": "cheerful",
            }
        ]
        assert server.keys == ["Bearer sk-1"]
        plain = await OpenAiSpeech(settings, None, {}, http).speak("hello", Voicing(model="tts-1", format="exe"))
        assert (plain.format, server.keys[-1], "instructions" in server.asked[-1]) == ("mp3", None, False)
        await http.close()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [((401, b"bad key"), "answered 401: bad key"), ((200, b""), "nothing"), ((200, b"x" * (MAX_AUDIO + 1)), "16 MB")],
)
async def test_a_service_that_fails_is_reported(answer: tuple[int, bytes], problem: str) -> None:
    async with speech_server() as server:
        server.answer, http = answer, HttpClient()
        with pytest.raises(SpeechFailed, match=problem):
            await OpenAiSpeech({"baseUrl": server.url}, None, {}, http).speak("hi", Voicing())
        await http.close()


async def test_a_service_that_is_not_there_is_reported() -> None:
    http = HttpClient()
    with pytest.raises(SpeechFailed, match="cannot be reached"):
        await OpenAiSpeech({"baseUrl": "http://127.0.0.1:9/v1"}, None, {}, http).speak("hi", Voicing())
    await http.close()


@pytest.mark.parametrize(
    ("settings", "key", "env", "is_ready"),
    [
        ({}, None, {}, False),
        ({}, "sk", {}, True),
        ({"baseUrl": "http://box/v1"}, None, {}, True),
        ({}, None, {"OPENAI_TTS_BASE_URL": "http://box/v1"}, True),
        ({"baseUrl": "ftp://box"}, "sk", {}, False),
    ],
)
def test_a_key_or_an_address_of_its_own_is_needed(
    settings: dict[str, object], key: str | None, env: dict[str, str], is_ready: bool
) -> None:
    assert (OpenAiSpeech(settings, key, env, HttpClient()).missing() is None) is is_ready
