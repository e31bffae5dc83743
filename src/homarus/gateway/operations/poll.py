"""`poll`: a question with answers to choose from, out through a channel (reference 02)."""

from __future__ import annotations

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Post, operation
from homarus.gateway.operations.send import deliver, find_address
from homarus.gateway.sent_messages import POLL, SentMessages
from homarus.manner import Manner, Poll
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.scopes import Scope
from homarus.protocol.send import PollParams, SendParams, SendResult


@operation("poll", scope=Scope.WRITE, rest=Post("/api/poll"))
async def poll(call: Call, params: PollParams) -> SendResult:
    """Send a poll through a channel that has them; the same idempotency key again sends nothing."""
    return await ask(call, params)


async def ask(call: Call, params: PollParams) -> SendResult:
    """Send a poll as `poll` does. Raises ProtocolError for one that cannot be sent and for what was refused."""
    address = find_address(call, params.channel, params.account_id, params.to, params.thread_id)
    if POLL not in SentMessages(call.services.channels, address).actions:
        raise unavailable(f"{address.channel} has no polls, or they are switched off (actions.poll)")
    options = tuple(option.strip() for option in params.options)
    most = params.max_selections or 1
    if most > len(options) or len(set(options)) < len(options) or not all(options):
        raise invalid("options must differ from each other, and maxSelections must not be more than there are")
    seconds = params.duration_seconds or (params.duration_hours or 0) * 3600 or None
    made = Poll(options, most, params.is_anonymous is not False, seconds)
    message = SendParams.model_validate(
        {
            "to": params.to,
            "message": params.question,
            "channel": params.channel,
            "account_id": params.account_id,
            "thread_id": params.thread_id,
            "idempotency_key": f"poll:{params.idempotency_key}",
        },
        by_name=True,
    )
    sent = await deliver(call, message, Manner(is_quiet=bool(params.silent), poll=made))
    return {**sent, "runId": params.idempotency_key}
