"""Clients without a device identity: which are let in, and with which scopes (reference 01 §8, v4-differences §4)."""

from __future__ import annotations

from homarus.errors import ProtocolError
from homarus.gateway.attempt import Attempt, Refused
from homarus.gateway.auth import AuthResult, unauthorized
from homarus.gateway.settings import BrowserSettings
from homarus.protocol.errors import NOT_PAIRED, invalid


def scopes_without_device(attempt: Attempt, auth: AuthResult, browser: BrowserSettings) -> tuple[str, ...]:
    """Return the scopes a client without device identity keeps. Raises Refused."""
    _check_page(attempt, auth, browser)
    if keeps_scopes(attempt, auth, browser):
        return attempt.scopes
    if attempt.is_operator and auth.is_shared_secret:
        return ()
    given = attempt.params.auth
    if not auth.is_ok and given is not None and given.secret:
        raise Refused(unauthorized(auth, attempt.params.client, given, has_device=False))
    details = {"code": "DEVICE_IDENTITY_REQUIRED"}
    raise Refused(ProtocolError(NOT_PAIRED, "device identity required", details=details))


def keeps_scopes(attempt: Attempt, auth: AuthResult, browser: BrowserSettings) -> bool:
    """Tell whether a client without device identity may do what it asks for.

    With version 4 command lines and programs on this machine may, if they know the secret; with version 3 only the
    Control UI, where its owner switched the check off.
    """
    if not attempt.is_operator or not auth.is_ok:
        return False
    if attempt.is_ui and browser.skips_device_auth:
        return True
    if not attempt.is_v4:
        return attempt.is_control_ui and auth.method in ("token", "password")
    client = attempt.params.client
    is_cli = client.id == "cli" and client.mode == "cli" and auth.is_shared_secret
    is_backend = attempt.is_backend and (auth.is_shared_secret or auth.method == "none")
    return attempt.is_direct and (is_cli or is_backend)


def _check_page(attempt: Attempt, auth: AuthResult, browser: BrowserSettings) -> None:
    """Refuse clients for people that have to prove their device."""
    is_concerned = attempt.is_control_ui if attempt.is_v4 else attempt.is_ui
    is_excused = browser.skips_device_auth or auth.method == "trusted-proxy"
    if not is_concerned or (is_excused and attempt.is_operator and auth.is_ok):
        return
    if attempt.is_v4 or not (browser.allows_insecure_auth and attempt.peer.is_local):
        message = "control ui requires device identity (use HTTPS or localhost secure context)"
        raise Refused(invalid(message, {"code": "CONTROL_UI_DEVICE_IDENTITY_REQUIRED"}))
