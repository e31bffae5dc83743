"""Setup codes: one line that carries a gateway's address, a one-time token and the certificate to expect."""

from __future__ import annotations

import base64
import binascii
import json
from typing import cast
from urllib.parse import urlsplit

from homarus.discreet import Discreet
from homarus.errors import UserError

MAX_CODE = 4096
_FIX = "copy the whole line that `homarus devices setup-code` prints on the gateway's machine"


class SetupCode(Discreet, frozen=True):
    """What a device needs to connect for the first time. `tls_fingerprint` is None without a pinned certificate."""

    hidden = frozenset({"token"})

    url: str
    token: str
    tls_fingerprint: str | None = None


def write_setup_code(code: SetupCode) -> str:
    """Return base64url without padding over JSON, as the companion apps read it."""
    fields = {"url": code.url, "bootstrapToken": code.token}
    if code.tls_fingerprint:
        fields["tlsSha256"] = code.tls_fingerprint
    text = json.dumps(fields, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def read_setup_code(text: str) -> SetupCode:
    """Return the parts of a setup code. Raises UserError when it is none."""
    cleaned = "".join(text.split())
    try:
        if len(cleaned) > MAX_CODE:
            raise ValueError("too long")
        value = json.loads(base64.urlsafe_b64decode(cleaned + "=" * (-len(cleaned) % 4)))
        fields = cast("dict[str, object]", value)
        url, token, pin = fields["url"], fields["bootstrapToken"], fields.get("tlsSha256")
        if not isinstance(url, str) or not isinstance(token, str) or urlsplit(url).scheme not in ("ws", "wss"):
            raise TypeError("not an address and a token")
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError) as error:
        raise UserError("this is no setup code", fix=_FIX) from error
    return SetupCode(url, token, pin if isinstance(pin, str) else None)
