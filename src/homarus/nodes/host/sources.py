"""Cameras and screens of this machine, as the system and the owner name them."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from homarus.nodes.host.media import Source

if TYPE_CHECKING:
    from homarus.config.node_host import CaptureSource, NodeCamera, NodeScreen

VIDEO_CLASS: Final = Path("/sys/class/video4linux")
_NUMBER = re.compile(r"video(\d+)")
_FRONT = re.compile(r"front|facetime|integrated|user", re.IGNORECASE)


def find_cameras(settings: NodeCamera, system: Path = VIDEO_CLASS) -> tuple[Source, ...]:
    """Return the cameras there are, the owner's own sources first; none while they are switched off."""
    if not settings.enabled:
        return ()
    own = tuple(_source(each) for each in settings.sources)
    if sys.platform == "darwin":
        return (*own, Source("default", "Camera", "default:none", "avfoundation", "front"))
    return (*own, *_video4linux(system))


def find_screen(settings: NodeScreen, variables: Mapping[str, str]) -> Source | None:
    """Return the screen, None while it is switched off or there is none that ffmpeg can read."""
    if not settings.enabled:
        return None
    if settings.source is not None:
        return _source(settings.source)
    if sys.platform == "darwin":
        return Source("screen", "Screen", "Capture screen 0:none", "avfoundation")
    display = variables.get("DISPLAY")
    return Source("screen", "Screen", display, "x11grab") if display else None


def _video4linux(system: Path) -> tuple[Source, ...]:
    """Return one source for each camera: the others of its devices carry metadata."""
    if not system.is_dir():
        return ()
    numbered = ((int(found[1]), path) for path in system.iterdir() if (found := _NUMBER.fullmatch(path.name)))
    cameras = ((number, path) for number, path in sorted(numbered) if _read(path / "index") in {"0", ""})
    return tuple(_camera(path) for _, path in cameras)


def _camera(path: Path) -> Source:
    name = _read(path / "name") or path.name
    position = "front" if _FRONT.search(name) else "external"
    return Source(path.name, name, f"/dev/{path.name}", "v4l2", position)


def _source(given: CaptureSource) -> Source:
    return Source(given.id, given.name or given.id, given.input, given.format, given.position)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()[:200]
    except OSError:
        return ""
