"""Speech programs of this machine: espeak-ng and piper; ffmpeg makes voice notes of what they say."""

from __future__ import annotations

import io
import json
import re
import shutil
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from msgspec import Struct

from homarus.nodes.program import ProgramFailed, pipe
from homarus.nodes.voice.contract import MAX_AUDIO, Speech, SpeechFailed, Voicing

WORDS_PER_MINUTE: Final = 175
"""What a speed of 1.0 means (reference voice §2)."""
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
_VOICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+/.-]{0,63}")
_CODECS: Final = {
    "opus": ("-c:a", "libopus", "-b:a", "64k", "-ar", "48000", "-f", "ogg"),
    "mp3": ("-c:a", "libmp3lame", "-b:a", "64k", "-f", "mp3"),
}


class Espeak(Struct, frozen=True):
    """espeak-ng: small, robotic, many languages. Settings: `voice`, `wpm`."""

    settings: Mapping[str, object]
    variables: Mapping[str, str]
    id: str = "espeak-ng"
    label: str = "eSpeak NG"
    models: tuple[str, ...] = ()
    voices: tuple[str, ...] = ("en", "en-us", "de", "es", "fr", "it", "nl", "pl", "pt", "ru")

    def missing(self) -> str | None:
        """Return what has to be set up."""
        return None if _find("espeak-ng", self.variables) else "install espeak-ng on the gateway's machine"

    async def speak(self, text: str, voicing: Voicing) -> Speech:
        """Speak; see Provider."""
        voice = voicing.voice or voicing.language or str(self.settings.get("voice") or "en")
        _check_voice(voice)
        normal = self.settings.get("wpm")
        rate = (normal if isinstance(normal, int) else WORDS_PER_MINUTE) * (voicing.speed or 1.0)
        program = _program("espeak-ng", self.variables)
        argv = (program, "-v", voice, "-s", str(round(rate)), "--stdin", "--stdout")
        audio = await _run(argv, text.encode(), self.variables)
        return await _encoded(_mended(audio), self.id, voicing, self.variables)


class Piper(Struct, frozen=True):
    """piper: natural voices, one model file each. Settings: `model`, the path of a `.onnx` file."""

    settings: Mapping[str, object]
    variables: Mapping[str, str]
    id: str = "piper"
    label: str = "Piper"
    voices: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """Return the configured model."""
        found = self.settings.get("model")
        return (str(found),) if found else ()

    def missing(self) -> str | None:
        """Return what has to be set up."""
        if not _find("piper", self.variables):
            return "install piper on the gateway's machine"
        if not self.settings.get("model") or not self._model().is_file():
            return "set messages.tts.providers.piper.model to a voice file (.onnx)"
        return None

    def _model(self) -> Path:
        return Path(str(self.settings.get("model"))).expanduser()

    async def speak(self, text: str, voicing: Voicing) -> Speech:
        """Speak; see Provider."""
        if (why := self.missing()) is not None:
            raise SpeechFailed("not_configured", "piper cannot speak", fix=why)
        model = self._model()
        argv = [_program("piper", self.variables), "-m", str(model), "--output-raw"]
        if voicing.speed:
            argv += ["--length_scale", f"{1 / voicing.speed:.3f}"]
        line = " ".join(text.split())
        samples = await _run(tuple(argv), f"{line}\n".encode(), self.variables)
        return await _encoded(_wav(samples, _rate(model)), self.id, voicing, self.variables)


async def _run(argv: tuple[str, ...], data: bytes, variables: Mapping[str, str]) -> bytes:
    """Run a program with the few variables it needs; the gateway's secrets are none of them."""
    kept = {name: variables[name] for name in _KEPT if name in variables}
    try:
        return await pipe(argv, data, kept, MAX_AUDIO)
    except ProgramFailed as failure:
        raise SpeechFailed("provider_error", failure.message) from failure


async def _encoded(wav: bytes, provider: str, voicing: Voicing, variables: Mapping[str, str]) -> Speech:
    """Return sound in the format that is asked for where ffmpeg is there; WAV otherwise."""
    wanted = (voicing.format or ("opus" if voicing.is_note else "wav")).partition("_")[0].lower()
    codec, ffmpeg = _CODECS.get(wanted), _find("ffmpeg", variables)
    if codec is None or ffmpeg is None:
        return Speech(wav, provider, "wav")
    argv = (ffmpeg, "-hide_banner", "-loglevel", "error", "-f", "wav", "-i", "pipe:0", *codec, "pipe:1")
    return Speech(await _run(argv, wav, variables), provider, wanted)


def _mended(wav: bytes) -> bytes:
    """Return WAV with its true length: a program that writes to a pipe does not know it when it begins."""
    try:
        with wave.open(io.BytesIO(wav)) as source:
            width, channels, rate = source.getsampwidth(), source.getnchannels(), source.getframerate()
        start = wav.index(b"data") + 8
    except (wave.Error, EOFError, ValueError) as error:
        raise SpeechFailed("provider_error", f"espeak-ng wrote something that is not WAV: {error}") from error
    return _wav(wav[start:], rate, width=width, channels=channels)


def _wav(samples: bytes, rate: int, *, width: int = 2, channels: int = 1) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as target:
        target.setnchannels(channels)
        target.setsampwidth(width)
        target.setframerate(rate)
        target.writeframes(samples[: len(samples) - len(samples) % (width * channels)])
    return made.getvalue()


def _rate(model: Path) -> int:
    """Return the samples per second of a voice; 22,050 when the file beside it does not say."""
    try:
        found = cast("dict[str, dict[str, object]]", json.loads(Path(f"{model}.json").read_text(encoding="utf-8")))
        rate = found["audio"]["sample_rate"]
    except (OSError, ValueError, KeyError, TypeError):
        return 22_050
    return rate if isinstance(rate, int) and 0 < rate <= 192_000 else 22_050


def _check_voice(voice: str) -> None:
    if not _VOICE.fullmatch(voice) or ".." in voice:
        raise SpeechFailed("provider_error", f"{voice[:40]!r} is no name of a voice", fix="see `espeak-ng --voices`")


def _find(name: str, variables: Mapping[str, str]) -> str | None:
    return shutil.which(name, path=variables.get("PATH"))


def _program(name: str, variables: Mapping[str, str]) -> str:
    found = _find(name, variables)
    if found is None:
        raise SpeechFailed("not_configured", f"{name} is not installed", fix=f"install {name}")
    return found
