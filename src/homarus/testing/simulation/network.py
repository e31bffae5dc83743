"""A chat platform with the manners of the real ones: updates until acknowledged, sends that may have arrived.

`Platform` is the far side and outlives the process; `PlatformChannel` is the channel of one life.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from random import Random
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from homarus.channels.contract import (
    Ambiguous,
    Attachment,
    ConnectionState,
    Inbound,
    Ingress,
    OutboundPart,
    ProbeResult,
    Receipt,
    Verdict,
)
from homarus.channels.sdk.standing import Standing
from homarus.errors import Permanent, StorageError, Transient
from homarus.ids import Address
from homarus.testing.simulation.faults import Faults
from homarus.testing.simulation.life import Life
from homarus.testing.simulation.people import Said

BATCH = 20
POLL_SECONDS = 30.0
Memory = Literal["forgets", "reconciles", "deduplicates"]


class Shown(Struct, frozen=True):
    """A message of ours that people see."""

    at: float
    part_id: str
    address: Address
    text: str


class Platform:
    """What the people and the platform hold. `memory` is what it can say about a part it may have been given,
    `can_edit` that replies are shown while they grow."""

    def __init__(self, script: list[Said], random: Random, faults: Faults) -> None:
        self._random = random
        self._faults = faults
        self._script = script
        self._updates: list[Said] = []
        self._acknowledged = 0
        self.memory: Memory = random.choice(("forgets", "reconciles", "deduplicates"))
        self.can_edit = random.random() < 0.5
        self.shown: list[Shown] = []
        self.acknowledged_names: list[str] = []

    def pending(self, offset: int, now: float) -> list[tuple[int, Said]]:
        """Acknowledge what is below `offset` and return the updates from there on."""
        self._arrive(now)
        for said in self._updates[self._acknowledged : offset]:
            self.acknowledged_names.append(said.name)
        self._acknowledged = max(self._acknowledged, offset)
        start = self._acknowledged
        return list(enumerate(self._updates[start : start + BATCH], start=start))

    def next_at(self) -> float | None:
        """Return when somebody will say something next."""
        return self._script[0].at if self._script else None

    @property
    def is_quiet(self) -> bool:
        """Tell whether everything said was acknowledged and nothing more will be said."""
        return not self._script and self._acknowledged == len(self._updates)

    def arrive(self, part: OutboundPart, now: float) -> str:
        """Show a part and return its id here."""
        if self.memory == "deduplicates":
            known = next((index for index, shown in enumerate(self.shown) if shown.part_id == part.id), None)
            if known is not None:
                return f"p{known}"
        self.shown.append(Shown(now, part.id, part.address, part.text))
        return f"p{len(self.shown) - 1}"

    def edit(self, platform_id: str, text: str) -> None:
        """Give a message another text. Raises Permanent when there is none of that id, or somebody removed it."""
        index = self._index(platform_id)
        self.shown[index] = replace(self.shown[index], text=text)

    def remove(self, platform_id: str) -> None:
        """Let somebody remove a message; its place stays, without a text and without a part."""
        index = self._index(platform_id)
        self.shown[index] = replace(self.shown[index], part_id=f"removed {platform_id}", text="")

    def _index(self, platform_id: str) -> int:
        names = [f"p{index}" for index, shown in enumerate(self.shown) if not shown.part_id.startswith("removed")]
        if platform_id not in names:
            raise Permanent("the message does not exist")
        return int(platform_id[1:])

    def verdict(self, part_id: str) -> Verdict:
        """Say whether a part was shown, as far as this platform can."""
        if self.memory == "forgets":
            return Verdict.UNKNOWN
        return Verdict.SENT if any(shown.part_id == part_id for shown in self.shown) else Verdict.NOT_SENT

    def _arrive(self, now: float) -> None:
        while self._script and self._script[0].at <= now:
            said = self._script.pop(0)
            self._updates.append(said)
            if self._faults.hits("update duplicated"):
                self._updates.append(self._random.choice(self._updates))


class PlatformChannel:
    """Implements homarus.channels.contract.Channel."""

    def __init__(self, platform: Platform, life: Life) -> None:
        self._platform = platform
        self._life = life
        self._standing = Standing()

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        return self._standing.state

    async def until_connected(self) -> None:
        """Return once the connection stands."""
        await self._standing.until_connected()

    async def run(self, ingress: Ingress) -> None:
        """Poll until the connection fails; an update is acknowledged by asking for the next one."""
        life = self._life
        try:
            await life.clock.sleep(life.random.uniform(0.01, 0.5))
            self._standing.change(ConnectionState.CONNECTED)
            offset = 0
            while True:
                batch = await self._poll(offset)
                await self._take(ingress, [said for _, said in batch])
                offset = batch[-1][0] + 1 if batch else offset
        finally:
            self._standing.change(ConnectionState.DISCONNECTED)

    async def _poll(self, offset: int) -> list[tuple[int, Said]]:
        life = self._life
        await life.go_on()
        if life.faults.holds("offline", life.clock.monotonic()) or life.faults.hits("poll fails"):
            life.note("poll fails")
            raise Transient("the connection was lost")
        until = life.clock.monotonic() + POLL_SECONDS
        while not (batch := self._platform.pending(offset, life.clock.monotonic())):
            now, then = life.clock.monotonic(), self._platform.next_at()
            if now >= until:
                return []
            await life.clock.sleep(min(until, then if then is not None else until) - now + 0.001)
            await life.go_on()
        return batch

    async def _take(self, ingress: Ingress, batch: list[Said]) -> None:
        """Commit a batch: in order in every chat, chats in parallel. A lost connection ends it in the middle."""
        chats: dict[Address, list[Inbound]] = defaultdict(list)
        for said in batch:
            chats[said.inbound.address].append(said.inbound)
        orders = list(chats.values())
        if self._life.faults.hits("updates reordered"):
            self._life.random.shuffle(orders)
        try:
            async with asyncio.TaskGroup() as tasks:
                for messages in orders:
                    tasks.create_task(self._take_chat(ingress, messages))
        except* Transient as group:
            # A channel ends with one error; which of several does not matter.
            raise Transient(str(group.exceptions[0])) from None

    async def _take_chat(self, ingress: Ingress, messages: list[Inbound]) -> None:
        life = self._life
        for message in messages:
            try:
                acceptance = await ingress.accept(message)
            except StorageError as error:
                raise Transient("the journal cannot be written") from error
            life.note(f"{acceptance.value} {message.external_id}")
            if life.faults.hits("poll fails"):
                raise Transient("the connection was lost")

    async def send(self, part: OutboundPart) -> Receipt:
        """Show a part, or fail on either side of showing it."""
        life = self._life
        await life.go_on()
        self._refuse(part)
        await life.clock.sleep(life.random.uniform(0.01, 0.4))
        await life.die_if("kill before send")
        if life.faults.hits("send lost"):
            raise Ambiguous("the connection broke")
        if life.faults.hits("send stalls"):
            if life.random.random() < 0.5:
                self._show(part)
            await life.clock.sleep(1_000.0)
        platform_id = self._show(part)
        await life.die_if("kill after send")
        if life.faults.hits("send answer lost"):
            raise Ambiguous("the connection broke")
        await life.clock.sleep(life.random.uniform(0.01, 0.4))
        await life.go_on()
        return Receipt(platform_id)

    async def edit(self, part: OutboundPart, platform_id: str) -> Receipt:
        """Change what a part shows, or fail on either side of changing it."""
        life = self._life
        await life.go_on()
        if life.faults.holds("offline", life.clock.monotonic()):
            raise Transient("the network is unreachable")
        if life.faults.hits("edit refused"):
            life.note(f"removed {platform_id}")
            self._platform.remove(platform_id)
            raise Permanent("the message does not exist any more")
        await life.clock.sleep(life.random.uniform(0.01, 0.4))
        await life.die_if("kill before send")
        life.note(f"edited {platform_id}: {part.text[:60]!r}")
        self._platform.edit(platform_id, part.text)
        await life.die_if("kill after send")
        if life.faults.hits("send answer lost"):
            raise Transient("the connection broke")
        return Receipt(platform_id)

    async def delete(self, address: Address, platform_id: str) -> None:  # noqa: ARG002 - ids are unique here
        """Remove a message; one that is gone is a success."""
        life = self._life
        await life.go_on()
        if life.faults.holds("offline", life.clock.monotonic()):
            raise Transient("the network is unreachable")
        await life.die_if("kill before send")
        with suppress(Permanent):
            self._platform.remove(platform_id)
        await life.die_if("kill after send")

    async def send_media(self, part: OutboundPart, attachment: Attachment) -> Receipt:
        """Show a file with its caption, or fail as `send` does."""
        if attachment.data != attachment.name.encode():
            raise Permanent("the file is damaged")
        return await self.send(part)

    def _show(self, part: OutboundPart) -> str:
        self._life.note(f"shown {part.id[:8]} in {part.address.chat}: {part.text[:60]!r}")
        return self._platform.arrive(part, self._life.clock.monotonic())

    def _refuse(self, part: OutboundPart) -> None:
        life = self._life
        if life.faults.holds("offline", life.clock.monotonic()):
            raise Transient("the network is unreachable")
        if life.faults.hits("rate limited"):
            raise Transient("too many requests", retry_after=life.random.uniform(1.0, 40.0))
        if life.faults.hits("refused"):
            life.note(f"refused {part.id[:8]}")
            raise Permanent("the chat does not exist any more")

    async def reconcile(self, part: OutboundPart) -> Verdict:
        """Ask the platform about a part."""
        await self._life.go_on()
        return self._platform.verdict(part.id)

    async def set_typing(self, address: Address, *, is_typing: bool) -> None:
        """Show nothing."""

    async def probe(self) -> ProbeResult:
        """Be there."""
        return ProbeResult(is_ok=True, detail="simulated")

    async def close(self) -> None:
        """Hold nothing."""
