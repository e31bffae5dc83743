"""Pipelines that are put together wrong, each in a way that users would notice."""

from __future__ import annotations

import asyncio

from msgspec import Struct
from msgspec.structs import replace

from homarus.agent.loop import Toolbox
from homarus.channels.contract import (
    Acceptance,
    Channel,
    ConnectionState,
    Inbound,
    Ingress,
    OutboundPart,
    Receipt,
    Verdict,
)
from homarus.errors import StorageError
from homarus.models.contract import ToolCall
from homarus.testing.simulation.life import Life
from homarus.testing.simulation.network import PlatformChannel
from homarus.testing.simulation.process import Wiring
from homarus.tools.contract import ToolContext
from homarus.tools.runner import ToolOutcome


class HastyIngress(Struct):
    """Tells the platform that a message is safe before it is."""

    inner: Ingress

    def __post_init__(self) -> None:
        self.work: set[asyncio.Task[None]] = set()

    async def accept(self, message: Inbound) -> Acceptance:
        task = asyncio.get_running_loop().create_task(self._accept(message), name="hasty")
        self.work.add(task)
        task.add_done_callback(self.work.discard)
        return Acceptance.ACCEPTED

    async def _accept(self, message: Inbound) -> None:
        try:
            await self.inner.accept(message)
        except StorageError:
            return


class DeafIngress(Struct):
    """Says that a message is safe although it could not be stored."""

    inner: Ingress

    async def accept(self, message: Inbound) -> Acceptance:
        try:
            return await self.inner.accept(message)
        except StorageError:
            return Acceptance.ACCEPTED


class ForgetfulIngress(Struct):
    """Does not know a message again."""

    inner: Ingress
    life: Life

    async def accept(self, message: Inbound) -> Acceptance:
        return await self.inner.accept(replace(message, external_id=f"{message.external_id}:{self.life.clock.uuid()}"))


class _Wrapped:
    """A channel that is another one."""

    def __init__(self, inner: Channel) -> None:
        assert isinstance(inner, PlatformChannel)
        self._inner = inner
        self.run = inner.run
        self.until_connected = inner.until_connected
        self.set_typing = inner.set_typing
        self.probe = inner.probe
        self.close = inner.close
        self.edit = inner.edit
        self.delete = inner.delete
        self.send_media = inner.send_media

    @property
    def state(self) -> ConnectionState:
        return self._inner.state

    async def send(self, part: OutboundPart) -> Receipt:
        return await self._inner.send(part)

    async def reconcile(self, part: OutboundPart) -> Verdict:
        return await self._inner.reconcile(part)


class ConfidentChannel(_Wrapped):
    """Claims that an interrupted part was not sent, without knowing."""

    async def reconcile(self, part: OutboundPart) -> Verdict:
        return Verdict.NOT_SENT


class OptimisticChannel(_Wrapped):
    """Claims that an interrupted part was sent, without knowing."""

    async def reconcile(self, part: OutboundPart) -> Verdict:
        return Verdict.SENT


class RepeatingChannel(_Wrapped):
    """Sends every fifth part twice, as an outbox without dedupe key would."""

    count = 0

    async def send(self, part: OutboundPart) -> Receipt:
        self.count += 1
        if self.count % 5 == 0:
            await self._inner.send(replace(part, id=f"{part.id}-again"))
        return await self._inner.send(part)


class LyingChannel(_Wrapped):
    """Says that it sent what it did not send."""

    count = 0

    async def send(self, part: OutboundPart) -> Receipt:
        self.count += 1
        return Receipt("none") if self.count % 10 == 0 else await self._inner.send(part)


class CarelessTools(Struct):
    """Takes every tool for one that may be repeated."""

    inner: Toolbox

    def is_idempotent(self, name: str) -> bool:
        return True

    async def run(self, call: ToolCall, context: ToolContext) -> ToolOutcome:
        return await self.inner.run(call, context)


BROKEN = {
    "acknowledges before the commit": Wiring(ingress=lambda inner, _life: HastyIngress(inner)),
    "acknowledges what was not stored": Wiring(ingress=lambda inner, _life: DeafIngress(inner)),
    "forgets the dedupe of messages": Wiring(ingress=ForgetfulIngress),
    "sends again without a notice": Wiring(channel=ConfidentChannel),
    "takes an interrupted part for sent": Wiring(channel=OptimisticChannel),
    "forgets the dedupe of parts": Wiring(channel=RepeatingChannel),
    "reports receipts for nothing": Wiring(channel=LyingChannel),
    "repeats payments": Wiring(tools=CarelessTools),
    "does not recover": Wiring(has_recovery=False),
}
