"""Cameras, screen and location of a node, with a small program standing in for ffmpeg."""

from __future__ import annotations

import asyncio
import base64
import sys
from pathlib import Path
from typing import Any

import pytest

from homarus.clock import SystemClock
from homarus.config.node_host import NodeHost
from homarus.nodes.host.capture import Capture
from homarus.nodes.host.failure import CommandFailed
from homarus.nodes.host.media import MAX_PICTURE
from homarus.nodes.host.sources import find_cameras, find_screen

FFMPEG = """
import sys
words = sys.argv[1:]
open(sys.argv[0] + ".log", "a").write(" ".join(words) + chr(10))
source = words[words.index("-i") + 1]
if source == "broken": sys.exit("no such device")
if source == "flood":
    while True: sys.stdout.buffer.write(b"x" * 65536)
if "mp4" in words:
    sys.stdout.buffer.write(b"\\x00\\x00\\x00\\x18ftypisom film of " + source.encode())
else:
    size = 5_000_000 if source == "big" else 10
    head = b"\\xff\\xd8\\xff\\xe0\\x00\\x04ab\\xff\\xc0\\x00\\x0b\\x08" + (480).to_bytes(2) + (640).to_bytes(2)
    sys.stdout.buffer.write(b"junk" if source == "junk" else head + b"x" * size)
"""
CAMERAS: dict[str, object] = {
    "enabled": True,
    "sources": [
        {"id": "door", "name": "Front door", "format": "lavfi", "input": "testsrc"},
        {"id": "me", "input": "self", "position": "front"},
        *({"id": each, "input": each} for each in ("broken", "flood", "big", "junk")),
    ],
}


class Bench:
    """A machine with ffmpeg."""

    def __init__(
        self, folder: Path, *, has_ffmpeg: bool = True, env: dict[str, str] | None = None, **settings: object
    ) -> None:
        self.folder = folder
        if has_ffmpeg:
            program = folder / "ffmpeg"
            program.write_text(f"#!{sys.executable}\n{FFMPEG}")
            program.chmod(0o755)
        made = NodeHost.model_validate(settings)
        self.handlers = Capture(made, {"PATH": str(folder), **(env or {})}, SystemClock()).handlers

    async def do(self, command: str, **params: object) -> Any:
        return await self.handlers[command](params)

    async def refusal(self, command: str, **params: object) -> str:
        with pytest.raises(CommandFailed) as caught:
            await self.do(command, **params)
        return caught.value.message

    def asked(self) -> list[str]:
        return (self.folder / "ffmpeg.log").read_text().splitlines()


def test_nothing_is_offered_that_was_not_switched_on_or_cannot_work(tmp_path: Path) -> None:
    assert Bench(tmp_path).handlers == {}
    assert Bench(tmp_path, camera={"sources": CAMERAS["sources"]}, screen={}).handlers == {}
    assert Bench(tmp_path, camera={"enabled": True}).handlers.keys() <= {"camera.list", "camera.snap", "camera.clip"}
    nothing = tmp_path / "empty"
    nothing.mkdir()
    assert Bench(nothing, has_ffmpeg=False, camera=CAMERAS, screen={"enabled": True}).handlers == {}
    assert set(Bench(tmp_path, camera=CAMERAS).handlers) == {"camera.list", "camera.snap", "camera.clip"}


async def test_cameras_are_listed_and_a_picture_is_taken(tmp_path: Path) -> None:
    bench = Bench(tmp_path, camera=CAMERAS)
    listed = (await bench.do("camera.list"))["devices"]
    assert listed[0] == {"id": "door", "name": "Front door", "position": "external", "deviceType": "lavfi"}
    picture = await bench.do("camera.snap", facing="front", maxWidth=800, quality=1, delayMs=1500)
    assert (picture["format"], picture["width"], picture["height"]) == ("jpg", 640, 480)
    assert base64.b64decode(picture["base64"])[:2] == b"\xff\xd8"
    assert "-i self -ss 1.50 -frames:v 1 -vf scale='min(800,iw)':-2 -q:v 2" in bench.asked()[0]
    await bench.do("camera.snap", deviceId="door", quality=99, delayMs=10**9)
    assert "-f lavfi -i testsrc -ss 10.00" in bench.asked()[1]


async def test_a_picture_that_is_too_large_is_made_smaller(tmp_path: Path) -> None:
    bench = Bench(tmp_path, camera=CAMERAS)
    picture = await bench.do("camera.snap", deviceId="big")
    assert len(base64.b64decode(picture["base64"])) <= MAX_PICTURE
    assert "pipe:0" in bench.asked()[1]


async def test_a_clip_and_a_recording_are_films(tmp_path: Path) -> None:
    screen = {"enabled": True, "source": {"id": "s", "format": "lavfi", "input": "desktop"}}
    bench = Bench(tmp_path, camera={**CAMERAS, "audio": "pulse:default"}, screen=screen)
    clip = await bench.do("camera.clip", durationMs=1)
    assert (clip["format"], clip["durationMs"], clip["hasAudio"]) == ("mp4", 250, True)
    assert base64.b64decode(clip["base64"]).endswith(b"film of testsrc")
    assert "-f pulse -i default" in bench.asked()[0]
    assert (await bench.do("camera.clip", includeAudio=False))["hasAudio"] is False
    film = await bench.do("screen.record", durationMs=500, fps=99)
    assert (film["fps"], film["screenIndex"], film["hasAudio"]) == (30, 0, False)
    assert "-f lavfi -i desktop -r 30 -t 0.500" in bench.asked()[2]


@pytest.mark.parametrize(
    ("command", "params", "problem"),
    [
        ("camera.snap", {"deviceId": "attic"}, "unknown deviceId"),
        ("camera.snap", {"format": "png"}, "camera format must be jpg"),
        ("camera.snap", {"maxWidth": "wide"}, "maxWidth must be a number"),
        ("camera.snap", {"deviceId": "broken"}, "no such device"),
        ("camera.snap", {"deviceId": "junk"}, "did not make a picture"),
        ("camera.snap", {"deviceId": "flood"}, "PAYLOAD_TOO_LARGE"),
        ("camera.clip", {"deviceId": "flood"}, "PAYLOAD_TOO_LARGE"),
        ("camera.clip", {"format": "webm"}, "camera format must be mp4"),
    ],
)
async def test_what_cannot_be_seen_is_refused(
    tmp_path: Path, command: str, params: dict[str, object], problem: str
) -> None:
    assert problem in await Bench(tmp_path, camera=CAMERAS).refusal(command, **params)


async def test_two_callers_take_turns_at_the_camera(tmp_path: Path) -> None:
    bench = Bench(tmp_path, camera=CAMERAS)
    taken = await asyncio.gather(*(bench.do("camera.snap") for _ in range(3)))
    assert len(taken) == len(bench.asked()) == 3


async def test_a_screen_with_another_number_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path, env={"DISPLAY": ":7"}, screen={"enabled": True})
    if "screen.record" in bench.handlers:
        assert "one screen" in await bench.refusal("screen.record", screenIndex=1)
        await bench.do("screen.record")
        assert "-framerate 10 -i" in bench.asked()[-1]


async def test_the_location_is_configured_or_printed_by_a_program(tmp_path: Path) -> None:
    fixed = await Bench(tmp_path, location={"lat": 52.5, "lon": 13.4, "accuracyMeters": 30}).do("location.get")
    assert (fixed["lat"], fixed["lon"], fixed["isPrecise"], fixed["source"]) == (52.5, 13.4, True, "unknown")
    assert fixed["timestamp"].endswith("Z")

    def printing(text: str) -> Bench:
        script = tmp_path / "where.py"
        script.write_text(f"print({text!r})")
        return Bench(tmp_path, location={"command": [sys.executable, str(script)]})

    moving = await printing('{"lat": 1, "lon": 2, "speedMps": 3.5}').do("location.get")
    assert (moving["speedMps"], moving["isPrecise"]) == (3.5, False)
    for text in ("nowhere", "[]", '{"lat": 91, "lon": 0}', '{"lat": true, "lon": 0}', "{}"):
        assert "LOCATION_UNAVAILABLE" in await printing(text).refusal("location.get")


def test_cameras_of_linux_are_found_once_each(tmp_path: Path) -> None:
    for number, name, index in ((0, "Integrated Webcam", "0"), (1, "Integrated Webcam", "1"), (10, "USB", "0")):
        folder = tmp_path / f"video{number}"
        folder.mkdir()
        (folder / "name").write_text(name + "\n")
        (folder / "index").write_text(index + "\n")
    (tmp_path / "other").mkdir()
    settings = NodeHost.model_validate({"camera": {"enabled": True}}).camera
    found = find_cameras(settings, tmp_path)
    if sys.platform != "darwin":
        assert [(each.input, each.position) for each in found] == [
            ("/dev/video0", "front"),
            ("/dev/video10", "external"),
        ]


def test_without_a_display_there_is_no_screen() -> None:
    settings = NodeHost.model_validate({"screen": {"enabled": True}}).screen
    if sys.platform != "darwin":
        assert find_screen(settings, {}) is None
        screen = find_screen(settings, {"DISPLAY": ":0"})
        assert screen is not None
        assert (screen.format, screen.input) == ("x11grab", ":0")
