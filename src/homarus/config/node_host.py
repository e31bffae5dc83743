"""`nodeHost`: what this machine lets a gateway do when it is a node."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le
from pydantic import ConfigDict

from homarus.config.base import Count, Many, Section, Text, section


class CaptureSource(Section):
    """A picture source that is not found by itself: a network camera, another device."""

    id: Text
    """Name that callers use."""
    name: str | None = None
    """Name for people."""
    format: Text | None = None
    """Input format of ffmpeg, such as v4l2, rtsp or lavfi."""
    input: Text
    """Input of ffmpeg: a device, an address."""
    position: Annotated[str, Text] = "external"
    """front, back, external or unspecified."""


class NodeCamera(Section):
    """Cameras of this machine."""

    enabled: bool = False
    """Lets the gateway take pictures and clips."""
    sources: Many[CaptureSource] = ()
    """Sources besides the cameras that are found."""
    audio: Text | None = None
    """Sound of clips as format:input of ffmpeg, such as pulse:default; without it they are silent."""


class NodeScreen(Section):
    """The screen of this machine."""

    enabled: bool = False
    """Lets the gateway record the screen."""
    source: CaptureSource | None = None
    """Source instead of the one that is found."""


class NodeLocation(Section):
    """Where this machine is."""

    lat: Annotated[float | int, Ge(-90), Le(90)] | None = None
    """Latitude in degrees."""
    lon: Annotated[float | int, Ge(-180), Le(180)] | None = None
    """Longitude in degrees."""
    accuracy_meters: Count | None = None
    """How exact that is, metres."""
    command: Many[Text] = ()
    """Program that prints the location as JSON with lat and lon, instead."""


class NodeHost(Section):
    """Running as a node."""

    model_config = ConfigDict(extra="allow")

    camera: NodeCamera = section()
    """Cameras of this machine."""
    screen: NodeScreen = section()
    """The screen of this machine."""
    location: NodeLocation = section()
    """Where this machine is."""
