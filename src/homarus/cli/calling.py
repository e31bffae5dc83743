"""`homarus gateway call`: any method of the gateway, its answer as JSON."""

from __future__ import annotations

import json
from typing import Final, cast

from msgspec import Struct

from homarus.cli.exits import UsageFailure
from homarus.cli.gateway import session
from homarus.cli.reach import find_gateway
from homarus.cli.screen import show_json

PARAMS: Final = "{}"
TIMEOUT: Final = 30.0
_EXAMPLE: Final = "write for example --params '{\"limit\": 5}'"


class Asked(Struct, frozen=True):
    """A call as it was typed: `params` is JSON, `timeout` in seconds."""

    method: str
    params: str = PARAMS
    timeout: float = TIMEOUT


def ask(asked: Asked) -> None:
    """Call the gateway and print what it answers. Raises UsageFailure for parameters that are no JSON object."""
    try:
        value: object = json.loads(asked.params)
    except ValueError as error:
        raise UsageFailure(f"--params is no JSON: {error}", fix=_EXAMPLE) from None
    if not isinstance(value, dict):
        raise UsageFailure("--params must be a JSON object", fix=_EXAMPLE)
    with session(find_gateway()) as gateway:
        show_json(gateway.call(asked.method, cast("dict[str, object]", value), timeout=asked.timeout))
