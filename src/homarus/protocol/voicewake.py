"""Parameters of wake words."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from annotated_types import MaxLen, MinLen
from pydantic import Field, model_validator

from homarus.protocol.base import LooseParams, Params

MAX_ROUTES = 32
MAX_TRIGGER = 64
"""Characters of a wake word that has a route."""


class VoicewakeParams(Params):
    """`voicewake.set`."""

    triggers: Annotated[list[Annotated[str, MaxLen(1024)]], MaxLen(256)]


class WakeTarget(Params):
    """Where something goes: exactly one of the three. `current` is the session the speaker is in."""

    mode: Literal["current"] | None = None
    agent_id: Annotated[str, MinLen(1), MaxLen(64)] | None = None
    session_key: Annotated[str, MinLen(1), MaxLen(512)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if [self.mode, self.agent_id, self.session_key].count(None) != 2:
            raise ValueError("must have exactly one of mode, agentId and sessionKey")
        return self


class WakeRoute(Params):
    """One wake word and its target."""

    trigger: Annotated[str, MinLen(1), MaxLen(MAX_TRIGGER)]
    target: WakeTarget


class WakeRouting(LooseParams):
    """All routes; what else a client read with them is passed over."""

    default_target: WakeTarget = WakeTarget(mode="current")
    routes: Annotated[list[WakeRoute], MaxLen(MAX_ROUTES)] = Field(default_factory=list[WakeRoute])


class VoicewakeRoutingParams(Params):
    """`voicewake.routing.set`."""

    config: WakeRouting
