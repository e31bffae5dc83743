"""Shapes that several results have in common."""

from __future__ import annotations

from typing import NotRequired, TypedDict

Object = dict[str, object]


class Done(TypedDict):
    """It was done."""

    ok: bool


class Level(TypedDict):
    """A level of thinking that can be chosen."""

    id: str
    label: str


class Cost(TypedDict, total=False):
    """Money in US dollars."""

    input: float
    output: float
    cacheRead: float
    cacheWrite: float
    total: float


class Probe(TypedDict):
    """What a round trip to a platform found."""

    ok: bool
    detail: NotRequired[str]
    error: NotRequired[str]
    elapsedMs: int | None


class ChannelRow(TypedDict):
    """How one account of a channel stands. Times in milliseconds."""

    accountId: str
    name: str
    enabled: bool
    configured: bool
    running: bool
    connected: bool
    lastError: NotRequired[str]
    lastInboundAt: NotRequired[int]
    lastOutboundAt: NotRequired[int]
    lastProbeAt: NotRequired[int]
    probe: NotRequired[Probe]
