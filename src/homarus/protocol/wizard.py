"""Parameters of `wizard.*`."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import MaxLen
from pydantic import JsonValue

from homarus.protocol.base import NonEmpty, Params

_Id = Annotated[NonEmpty, MaxLen(128)]


class WizardStartParams(Params):
    """`wizard.start`."""

    mode: Literal["local", "remote"] | None = None
    workspace: Annotated[str, MaxLen(4096)] | None = None


class WizardAnswer(Params):
    """The answer to one step."""

    step_id: _Id
    value: JsonValue = None


class WizardNextParams(Params):
    """`wizard.next`."""

    session_id: _Id
    answer: WizardAnswer | None = None


class WizardSessionParams(Params):
    """`wizard.cancel` and `wizard.status`."""

    session_id: _Id
