"""`POST /webhook/<channel>`: a program that knows the channel's secret speaks on it, as a sender of its own.

The signature covers the whole body, which holds when it was made and the id of the call: an old call is refused, and a
repeated one is found in the journal, which knows every id, after a restart as well.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import TYPE_CHECKING, Annotated, Final, Literal

from annotated_types import MaxLen, MinLen
from pydantic import StringConstraints

from homarus.channels.contract import Acceptance, ChatKind, Inbound, Sender
from homarus.errors import ProtocolError, StorageError
from homarus.gateway.http.body import read_body
from homarus.gateway.http.refusal import HttpRefusal, refusal_response, refused, too_many
from homarus.gateway.http.responses import json_response
from homarus.gateway.rate_limit import FailureLimiter
from homarus.gateway.settings import LimitSettings
from homarus.ids import Address
from homarus.protocol.base import LooseParams
from homarus.protocol.errors import UNAVAILABLE
from homarus.protocol.frames import decode
from homarus.protocol.send import MAX_TEXT
from homarus.protocol.validation import parse_params

if TYPE_CHECKING:
    from aiohttp import web

    from homarus.config.endpoints import ChannelWebhook
    from homarus.gateway.core import GatewayCore
    from homarus.gateway.peer import Peer

log = logging.getLogger("homarus.gateway.webhooks")

SIGNATURE_HEADER: Final = "X-Webhook-Signature"
MAX_BODY: Final = 256 * 1024
"""Bytes (reference 04, hooks)."""
MAX_SKEW: Final = 300
"""Seconds a call may be old, or ahead of our clock."""
FAILURES: Final = LimitSettings(attempts=20, window=60.0, lockout=60.0)
"""Of signatures, per address (reference 04, hooks); this machine is not exempt."""
SENDER_PREFIX: Final = "webhook:"
"""Before the name of whoever speaks, so that no program can pass for a person of the platform."""
_PREFIX: Final = "sha256="

Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]


class CallData(LooseParams):
    """Who says what, and where the answer goes; `chat` unset: to the user."""

    text: Annotated[str, MinLen(1), MaxLen(MAX_TEXT)]
    user: Name
    name: Name | None = None
    chat: Name | None = None
    thread: Name | None = None
    group: bool = False


class WebhookCall(LooseParams):
    """The body. `timestamp` is the Unix time in seconds, `id` unlike that of every other call."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[!-~]+$")]
    timestamp: int | float
    event: Literal["message"]
    channel: str | None = None
    data: CallData


class ChannelWebhooks:
    """Answers calls; made when the first one comes."""

    def __init__(self, core: GatewayCore) -> None:
        self._core = core
        self._failures = FailureLimiter(core.services.clock, FAILURES)

    async def answer(self, request: web.Request, peer: Peer, channel: str) -> web.Response:
        """Answer 200 once the message is in the journal; a repeated call is answered the same and not taken again."""
        try:
            wait = self._failures.locked_for(peer.address)
            if wait > 0:
                raise too_many(wait, "too many calls with a wrong signature")
            body = await read_body(request, MAX_BODY)
            settings = self._core.services.config.current.config.gateway.http.webhooks[channel]
            if not is_signed(body, request.headers.get(SIGNATURE_HEADER, ""), settings.secret.reveal()):
                self._failures.fail(peer.address)
                raise refused(401, "UNAUTHORIZED", f"{SIGNATURE_HEADER} is missing or wrong: sha256=HMAC of the body")
            accepted = await self._take(channel, settings, self._read(channel, body))
        except HttpRefusal as refusal:
            return refusal_response(refusal)
        return json_response({"ok": True, "duplicate": accepted is Acceptance.DUPLICATE})

    def _read(self, channel: str, body: bytes) -> WebhookCall:
        """Return a call whose signature is right. Raises HttpRefusal for one that is malformed, old or elsewhere's."""
        try:
            call = parse_params(WebhookCall, f"/webhook/{channel}", decode(body))
        except ValueError:
            raise refused(400, "INVALID_REQUEST", "the body is not JSON") from None
        except ProtocolError as error:
            raise HttpRefusal(400, error) from error
        age = abs(self._core.services.clock.now_ms() / 1000 - call.timestamp)
        if not age <= MAX_SKEW:
            message = f"timestamp is more than {MAX_SKEW} s away from now: send the Unix time in seconds"
            raise refused(401, "UNAUTHORIZED", message)
        if call.channel is not None and call.channel != channel:
            raise refused(400, "INVALID_REQUEST", f"this call is for the channel {call.channel[:64]!r}")
        return call

    async def _take(self, channel: str, settings: ChannelWebhook, call: WebhookCall) -> Acceptance:
        message = _message(channel, self._account(channel, settings), call)
        try:
            accepted = await self._core.services.channels.accept(message)
        except StorageError as error:
            raise HttpRefusal(503, ProtocolError(UNAVAILABLE, error.message, retryable=True)) from error
        if accepted is None:
            raise refused(409, UNAVAILABLE, f"the channel {channel[:64]} is not configured, or has no such account")
        log.info("a call spoke on %s as %s: %s", channel, message.sender.id, accepted)
        return accepted

    def _account(self, channel: str, settings: ChannelWebhook) -> str:
        names = [each.account for each in self._core.services.channels.accounts() if each.channel == channel]
        return settings.account or ("default" if "default" in names or not names else names[0])


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Tell whether a signature is the HMAC-SHA256 of a body, in hex; compares in constant time."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = signature.strip().removeprefix(_PREFIX).lower()
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def _message(channel: str, account: str, call: WebhookCall) -> Inbound:
    data = call.data
    return Inbound(
        address=Address(channel, account, data.chat or data.user, data.thread),
        external_id=f"{SENDER_PREFIX}{call.id}",
        sender=Sender(f"{SENDER_PREFIX}{data.user}", data.name or data.user, is_bot=False),
        kind=ChatKind.GROUP if data.group else ChatKind.DIRECT,
        text=data.text,
        is_mentioned=True,
        sent_at=round(call.timestamp * 1000),
    )
