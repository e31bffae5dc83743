"""Parameters and results of health, status, presence and identity methods."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from annotated_types import Ge, Le

from homarus.protocol.base import Count, LooseParams, Params


class HealthParams(LooseParams):
    """`health`: not validated by the reference, so a wrong `probe` counts as none."""

    probe: object = None


class LogsTailParams(Params):
    """`logs.tail`: `cursor` is a byte offset."""

    cursor: Count | None = None
    limit: Annotated[int, Ge(1), Le(5000)] | None = None
    max_bytes: Annotated[int, Ge(1), Le(1_000_000)] | None = None


class GatewayIdentity(TypedDict):
    """`gateway.identity.get`: the gateway's own device identity."""

    deviceId: str
    publicKey: str


class LogsTail(TypedDict):
    """`logs.tail`."""

    file: str
    cursor: int
    size: int
    lines: list[str]
    truncated: NotRequired[bool]
    reset: NotRequired[bool]
