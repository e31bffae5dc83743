"""Pictures and films of this machine, by ffmpeg."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from homarus.nodes.host.failure import CommandFailed
from homarus.nodes.program import ProgramFailed, pipe

MAX_PICTURE: Final = 3_900_000
"""Bytes of a picture: 5 MiB as base64, what one frame may carry (reference nodes §3)."""
MAX_FILM: Final = 18 * 1024 * 1024
MAX_RAW: Final = 32 * 1024 * 1024
"""Bytes of a film, and of a picture before it is made smaller."""
SNAP_SECONDS: Final = 15.0
"""What a picture may take beyond its delay; a camera needs seconds to wake."""
FILM_SLACK: Final = 20.0
TRIES: Final = 5
_GRABBERS: Final = frozenset({"x11grab", "avfoundation"})
"""Inputs that are read as often as they are asked to be; others have a pace of their own."""
_QUIET: Final = ("-hide_banner", "-loglevel", "error", "-nostdin")


class Source(Struct, frozen=True):
    """Where pictures come from: an input of ffmpeg, with its format where it must be named."""

    id: str
    name: str
    input: str
    format: str | None = None
    position: str = "external"

    def arguments(self, *options: str) -> tuple[str, ...]:
        """Return the arguments that open it."""
        chosen = ("-f", self.format) if self.format else ()
        return (*chosen, *options, "-i", self.input)


class Picture(Struct, frozen=True):
    """A JPEG and its size in pixels."""

    data: bytes
    width: int
    height: int

    def shown(self) -> dict[str, object]:
        """Return the result of `camera.snap`."""
        encoded = base64.b64encode(self.data).decode()
        return {"format": "jpg", "base64": encoded, "width": self.width, "height": self.height}


class Film(Struct, frozen=True):
    """What is to be filmed. `sound` is `format:input` of ffmpeg, None for silence."""

    source: Source
    seconds: float
    fps: int | None = None
    sound: str | None = None


class Studio:
    """Makes pictures and films. One at a time: cameras and screens serve one reader."""

    def __init__(self, ffmpeg: str, variables: Mapping[str, str]) -> None:
        self._ffmpeg = ffmpeg
        self._variables = variables
        self._busy = asyncio.Lock()

    async def snap(self, source: Source, *, max_width: int, quality: float, delay: float) -> Picture:
        """Take a picture that fits a frame: less quality first, then less size. Raises CommandFailed."""
        async with self._busy:
            before = ("-ss", f"{delay:.2f}") if delay else ()
            taken = await self._run(
                (*source.arguments(), *before, "-frames:v", "1", *_jpeg(max_width, quality)), b"", SNAP_SECONDS + delay
            )
        for step in range(TRIES):
            if len(taken) <= MAX_PICTURE:
                return _picture(taken)
            width, lower = int(max_width * 0.75**step), max(0.25, quality - 0.15 * (step + 1))
            again = ("-f", "image2pipe", "-i", "pipe:0", "-frames:v", "1", *_jpeg(width, lower))
            taken = await self._run(again, taken, SNAP_SECONDS)
        raise CommandFailed("UNAVAILABLE", "PAYLOAD_TOO_LARGE: the picture does not fit; ask for a smaller maxWidth")

    async def film(self, wanted: Film) -> bytes:
        """Return a film as MP4. Raises CommandFailed."""
        rate = ("-framerate", str(wanted.fps)) if wanted.fps and wanted.source.format in _GRABBERS else ()
        steady = ("-r", str(wanted.fps)) if wanted.fps else ()
        kind, _, place = (wanted.sound or "").partition(":")
        sound = ("-f", kind, "-i", place, "-c:a", "aac") if wanted.sound else ("-an",)
        argv = (
            *wanted.source.arguments(*rate),
            *(sound if wanted.sound else ()),
            *(*steady, "-t", f"{wanted.seconds:.3f}", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"),
            *("-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2", *(() if wanted.sound else sound)),
            *("-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "pipe:1"),
        )
        async with self._busy:
            made = await self._run(argv, b"", wanted.seconds + FILM_SLACK, limit=MAX_FILM)
        if made[4:8] != b"ftyp":
            raise CommandFailed("UNAVAILABLE", "UNAVAILABLE: ffmpeg did not make a film")
        return made

    async def _run(self, arguments: tuple[str, ...], data: bytes, seconds: float, *, limit: int = MAX_RAW) -> bytes:
        argv = (self._ffmpeg, *_QUIET[: 3 if data else 4], *arguments)
        try:
            async with asyncio.timeout(seconds):
                return await pipe(argv, data, self._variables, limit)
        except TimeoutError:
            raise CommandFailed("UNAVAILABLE", f"UNAVAILABLE: no picture within {seconds:g} s") from None
        except ProgramFailed as failure:
            word = "PAYLOAD_TOO_LARGE" if failure.is_flood else "UNAVAILABLE"
            raise CommandFailed("UNAVAILABLE", f"{word}: {failure.message}") from failure


def _jpeg(max_width: int, quality: float) -> tuple[str, ...]:
    """Return the arguments for a JPEG; ffmpeg counts quality from 2, the best, to 31."""
    scale = f"scale='min({max_width},iw)':-2"
    return ("-vf", scale, "-q:v", str(round(31 - 29 * quality)), "-f", "image2pipe", "-c:v", "mjpeg", "pipe:1")


def _picture(data: bytes) -> Picture:
    """Read the size of a JPEG from its frame header."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 < len(data) and data[at] == 0xFF:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
            return Picture(data, width, height)
        at += 2 + size
    raise CommandFailed("UNAVAILABLE", "UNAVAILABLE: ffmpeg did not make a picture")
