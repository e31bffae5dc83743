"""The commands of a node that look: `camera.*`, `screen.record`, `location.get`; only those that can work here."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from homarus.nodes.host.failure import CommandFailed, bad_request
from homarus.nodes.host.media import Film, Source, Studio
from homarus.nodes.host.plan import find_program
from homarus.nodes.host.process import run_program
from homarus.nodes.host.sources import find_cameras, find_screen

if TYPE_CHECKING:
    from homarus.clock import Clock
    from homarus.config.node_host import NodeHost as Settings

Params = dict[str, object]
Handler = Callable[[Params], Awaitable[object]]
MAX_DELAY_MS: Final = 10_000
CLIP_MS: Final = (250, 60_000)
RECORD_MS: Final = (250, 60_000)
FPS: Final = (1, 30)
WIDTH: Final = (16, 8192)
LOCATE_SECONDS: Final = 20.0
_FACTS: Final = ("altitudeMeters", "speedMps", "headingDeg")


class Capture:
    """What this machine can look at. `variables` is the environment of programs."""

    def __init__(self, settings: Settings, variables: Mapping[str, str], clock: Clock) -> None:
        self._settings = settings
        self._variables = variables
        self._clock = clock
        ffmpeg = find_program("ffmpeg", variables["PATH"])
        self._studio = Studio(ffmpeg, variables) if ffmpeg else None
        self._screen = find_screen(settings.screen, variables) if ffmpeg else None

    @property
    def handlers(self) -> dict[str, Handler]:
        """Return the commands that can work here, by name."""
        found: dict[str, Handler] = {}
        if self._studio is not None and self._cameras():
            found |= {"camera.list": self._list, "camera.snap": self._snap, "camera.clip": self._clip}
        if self._screen is not None:
            found["screen.record"] = self._record
        location = self._settings.location
        if location.command or (location.lat is not None and location.lon is not None):
            found["location.get"] = self._locate
        return found

    def _cameras(self) -> tuple[Source, ...]:
        return find_cameras(self._settings.camera)

    async def _list(self, params: Params) -> object:  # noqa: ARG002 - the signature of commands
        rows = [
            {"id": each.id, "name": each.name, "position": each.position, "deviceType": each.format or "stream"}
            for each in self._cameras()
        ]
        return {"devices": rows}

    async def _snap(self, params: Params) -> object:
        if params.get("format") not in {None, "jpg", "jpeg"}:
            raise bad_request("camera format must be jpg")
        studio, source = self._opened(params)
        quality = params.get("quality")
        picture = await studio.snap(
            source,
            max_width=_number(params, "maxWidth", 1600, WIDTH),
            quality=min(1.0, max(0.05, float(quality))) if isinstance(quality, int | float) else 0.9,
            delay=_number(params, "delayMs", 0, (0, MAX_DELAY_MS)) / 1000,
        )
        return picture.shown()

    async def _clip(self, params: Params) -> object:
        _check_mp4(params, "camera")
        studio, source = self._opened(params)
        duration = _number(params, "durationMs", 3000, CLIP_MS)
        sound = self._settings.camera.audio if params.get("includeAudio") is not False else None
        made = await studio.film(Film(source, duration / 1000, sound=sound))
        return {**_film(made), "durationMs": duration, "hasAudio": sound is not None}

    async def _record(self, params: Params) -> object:
        _check_mp4(params, "screen")
        if self._studio is None or self._screen is None:
            raise CommandFailed("UNAVAILABLE", "UNAVAILABLE: no screen to record")
        index = _number(params, "screenIndex", 0, (0, 16))
        if index:
            raise bad_request("this node has one screen, number 0")
        duration, fps = _number(params, "durationMs", 10_000, RECORD_MS), _number(params, "fps", 10, FPS)
        made = await self._studio.film(Film(self._screen, duration / 1000, fps))
        return {**_film(made), "durationMs": duration, "fps": fps, "screenIndex": index, "hasAudio": False}

    async def _locate(self, params: Params) -> object:  # noqa: ARG002 - the signature of commands
        settings = self._settings.location
        found: Mapping[str, object] = {
            "lat": settings.lat,
            "lon": settings.lon,
            "accuracyMeters": settings.accuracy_meters,
        }
        if settings.command:
            found = await self._ask(settings.command)
        lat, lon = _degrees(found.get("lat"), 90), _degrees(found.get("lon"), 180)
        if lat is None or lon is None:
            raise CommandFailed("UNAVAILABLE", "LOCATION_UNAVAILABLE: the program printed no lat and lon")
        accuracy = found.get("accuracyMeters")
        exact = float(accuracy) if isinstance(accuracy, int | float) else 1000.0
        moment = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).isoformat().replace("+00:00", "Z")
        extra = {name: found[name] for name in _FACTS if isinstance(found.get(name), int | float)}
        place = {"lat": lat, "lon": lon, "accuracyMeters": exact, **extra}
        return {**place, "timestamp": moment, "isPrecise": exact <= 100, "source": "unknown"}

    async def _ask(self, command: tuple[str, ...]) -> Mapping[str, object]:
        done = await run_program(command, None, self._variables, LOCATE_SECONDS)
        if done.is_timed_out:
            raise CommandFailed("UNAVAILABLE", "LOCATION_TIMEOUT: the program took too long")
        try:
            found = cast("object", json.loads(done.stdout))
        except ValueError:
            found = None
        if done.exit_code != 0 or not isinstance(found, dict):
            raise CommandFailed("UNAVAILABLE", "LOCATION_UNAVAILABLE: the program printed no JSON object")
        return cast("Mapping[str, object]", found)

    def _opened(self, params: Params) -> tuple[Studio, Source]:
        """Return the camera a caller means: by id, else by where it faces, else the first."""
        cameras, wanted = self._cameras(), params.get("deviceId")
        if self._studio is None or not cameras:
            raise CommandFailed("UNAVAILABLE", "CAMERA_DISABLED: no camera is switched on here")
        if wanted is not None:
            named = next((each for each in cameras if each.id == wanted), None)
            if named is None:
                raise bad_request("unknown deviceId; see camera.list")
            return self._studio, named
        facing = next((each for each in cameras if each.position == params.get("facing")), cameras[0])
        return self._studio, facing


def _film(made: bytes) -> dict[str, object]:
    return {"format": "mp4", "base64": base64.b64encode(made).decode()}


def _check_mp4(params: Params, what: str) -> None:
    if params.get("format") not in {None, "mp4"}:
        raise bad_request(f"{what} format must be mp4")


def _number(params: Params, name: str, default: int, bounds: tuple[int, int]) -> int:
    """Return a number as asked for, within its bounds. Raises CommandFailed for anything else."""
    value = params.get(name)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise bad_request(f"{name} must be a number")
    return round(min(bounds[1], max(bounds[0], value)))


def _degrees(value: object, most: int) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if -most <= value <= most else None
