"""Parameters of `system-event` and `set-heartbeats`."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, MaxLen

from homarus.protocol.base import LooseParams

_Short = Annotated[str, MaxLen(256)]
_Words = Annotated[list[_Short], MaxLen(64)]


class SystemEventParams(LooseParams):
    """`system-event`: a text, and what it says about the machine it comes from."""

    text: Annotated[str, MaxLen(20_000)] | None = None
    device_id: _Short | None = None
    instance_id: _Short | None = None
    host: _Short | None = None
    ip: _Short | None = None
    mode: _Short | None = None
    version: _Short | None = None
    platform: _Short | None = None
    device_family: _Short | None = None
    model_identifier: _Short | None = None
    last_input_seconds: Annotated[int, Ge(0)] | None = None
    reason: _Short | None = None
    roles: _Words | None = None
    scopes: _Words | None = None
    tags: _Words | None = None

    def facts(self) -> dict[str, object]:
        """Return what it says about a machine, as presence entries name it."""
        return self.model_dump(by_alias=True, exclude_none=True, exclude={"text"})


class HeartbeatsParams(LooseParams):
    """`set-heartbeats`."""

    enabled: bool
