"""What an upgrade said before its first frame, as far as JSON-RPC cares; light, because every connection asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

RPC_PATH: Final = "/rpc"
"""Where JSON-RPC is spoken from the first byte: no challenge is sent, and POST is answered."""
_LOOKED_AT: Final = 4096


class Opening(Struct, frozen=True):
    """The headers of an upgrade, and whether its path already says that the client speaks JSON-RPC."""

    headers: Mapping[str, str]
    is_rpc_path: bool


def speaks_json_rpc(text: str) -> bool:
    """Tell whether a first frame is JSON-RPC: an object or a batch that names its version near its beginning.

    Frames of the gateway protocol have no such key, and a refused one is refused in either dialect.
    """
    start = text[:_LOOKED_AT].lstrip()
    return start.startswith(("{", "[")) and '"jsonrpc"' in start
