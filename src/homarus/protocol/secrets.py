"""Parameters of `secrets.resolve`."""

from __future__ import annotations

from typing import Annotated

from annotated_types import MaxLen, MinLen

from homarus.protocol.base import Params

_Name = Annotated[str, MinLen(1), MaxLen(256)]


class SecretsResolveParams(Params):
    """`secrets.resolve`: keys of the configuration, `*` for any name at its place."""

    command_name: _Name
    target_ids: Annotated[list[_Name], MaxLen(200)]
