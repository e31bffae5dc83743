"""Programs that speak, with small ones standing in for them."""

from __future__ import annotations

import asyncio
import io
import json
import wave
from pathlib import Path

import pytest
from tests.nodes.voice.stand_ins import ESPEAK, FFMPEG, PIPER, install

from homarus.nodes.voice.contract import SpeechFailed, Voicing
from homarus.nodes.voice.local import Espeak, Piper


def frames(audio: bytes) -> tuple[int, int]:
    """Return the rate and length of WAV."""
    with wave.open(io.BytesIO(audio)) as source:
        return source.getframerate(), source.getnframes()


async def test_espeak_says_the_text_with_voice_and_speed_and_its_length_is_mended(tmp_path: Path) -> None:
    env = install(tmp_path / "bin", espeak_ng=ESPEAK)
    speech = await Espeak({"voice": "de", "wpm": 100}, env).speak("--hello", Voicing(speed=1.5))
    assert (speech.format, speech.mime_type, speech.is_voice_note) == ("wav", "audio/wav", False)
    assert frames(speech.audio) == (22050, 100)
    assert (tmp_path / "bin" / "espeak-ng.log").read_text() == "-v de -s 150 --stdin --stdout|--hello\n"


async def test_with_ffmpeg_a_voice_note_is_made(tmp_path: Path) -> None:
    env = install(tmp_path / "bin", espeak_ng=ESPEAK, ffmpeg=FFMPEG)
    speech = await Espeak({}, env).speak("hello", Voicing(is_note=True))
    assert (speech.format, speech.is_voice_note, speech.audio[:4]) == ("opus", True, b"OggS")
    assert (await Espeak({}, env).speak("hello", Voicing(format="mp3_44100_128"))).format == "mp3"


async def test_a_voice_is_a_name_and_nothing_else(tmp_path: Path) -> None:
    env = install(tmp_path / "bin", espeak_ng=ESPEAK)
    for voice in ("--version", "../etc", "a b", ""):
        with pytest.raises(SpeechFailed, match="no name of a voice"):
            await Espeak({"voice": "en"}, env).speak("hi", Voicing(voice=voice or "!"))


@pytest.mark.parametrize(("text", "problem"), [("crash", "no such voice"), ("endless", "more than 16 MB")])
async def test_a_program_that_fails_or_floods_is_reported(tmp_path: Path, text: str, problem: str) -> None:
    env = install(tmp_path / "bin", espeak_ng=ESPEAK)
    with pytest.raises(SpeechFailed, match=problem):
        await Espeak({}, env).speak(text, Voicing())


async def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    env = install(tmp_path / "bin", espeak_ng=ESPEAK)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await Espeak({}, env).speak("sleep", Voicing())


async def test_what_is_not_installed_says_so(tmp_path: Path) -> None:
    env = install(tmp_path / "bin")
    assert "install espeak-ng" in (Espeak({}, env).missing() or "")
    assert "install piper" in (Piper({}, env).missing() or "")
    with pytest.raises(SpeechFailed, match="espeak-ng is not installed"):
        await Espeak({}, env).speak("hi", Voicing())


async def test_piper_needs_a_voice_file_and_speaks_at_its_rate(tmp_path: Path) -> None:
    env = install(tmp_path / "bin", piper=PIPER)
    assert "voice file" in (Piper({}, env).missing() or "")
    model = tmp_path / "voice.onnx"
    model.write_bytes(b"model")
    piper = Piper({"model": str(model)}, env)
    assert (piper.missing(), piper.models) == (None, (str(model),))
    assert frames((await piper.speak("two\nlines", Voicing(speed=2.0))).audio) == (22050, 50)
    (tmp_path / "voice.onnx.json").write_text(json.dumps({"audio": {"sample_rate": 16000}}))
    assert frames((await piper.speak("hi", Voicing())).audio)[0] == 16000
    (tmp_path / "voice.onnx.json").write_text("{")
    assert frames((await piper.speak("hi", Voicing())).audio)[0] == 22050
