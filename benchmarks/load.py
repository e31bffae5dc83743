"""What Homarus does under load: many sessions at once, many messages at once, many clients that only listen."""

from __future__ import annotations

import asyncio
import gc
import resource
import statistics
import tempfile
import time
from datetime import UTC
from pathlib import Path

from figures import resident_mib, thread_seconds
from msgspec import Struct
from systems import Homarus

from homarus.channels.contract import Capabilities, ChatKind, Inbound, Sender
from homarus.channels.policy_config import ChannelPolicyConfig
from homarus.clock import SystemClock
from homarus.config.schema import Config
from homarus.ids import Address
from homarus.pipeline.access import AccessRules
from homarus.pipeline.accounts import Account, Accounts
from homarus.pipeline.inbox import Inbox, Stored
from homarus.pipeline.ingest import Ingest
from homarus.pipeline.session_rules import SessionRules
from homarus.storage.opening import open_database

_WRITERS = 256
"""Messages in flight at once: what a busy group of channel connections may have waiting for a commit."""
_WARM_UP = 40
"""Turns of each gateway before two are compared."""
_OPENERS = 16
"""Connections that are opened at once."""


async def run_sessions(
    system: Homarus, *, sessions: int, at_once: int, turns: int, seconds: float
) -> tuple[int, float]:
    """Run turns spread over sessions, at most `seconds`; return how many were done and how many a second."""
    begun, numbers, done = time.perf_counter(), iter(range(turns)), 0

    async def work() -> None:
        nonlocal done
        for number in numbers:
            await system.turn(f"agent:main:load-{number % sessions}")
            done += 1
            if time.perf_counter() - begun > seconds:
                return

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
    return done, done / (time.perf_counter() - begun)


class Crowding(Struct, frozen=True):
    """Per cent by which a turn takes longer in a gateway with stored sessions than in one without, at the median.

    `control` is what two without differ by in CPU time: less than that is no difference.
    """

    cpu: float
    wall: float
    control: float


async def compare_crowded(crowded: Homarus, empty: Homarus, control: Homarus, turns: int) -> Crowding:
    """Compare turns of a gateway with stored sessions and of two without.

    They are interleaved, in a session of its own each, so that what else the machine does hits all alike.
    """
    systems = [crowded, empty, control]
    for _ in range(_WARM_UP):  # a gateway that has just started loads modules and compiles statements
        for system in systems:
            await system.turn("agent:main:four")
    wall: dict[Homarus, list[float]] = {system: [] for system in systems}
    spent: dict[Homarus, list[float]] = {system: [] for system in systems}
    for _ in range(turns):
        for system in systems:
            before = thread_seconds(system.pid)
            wall[system].append(await system.turn("agent:main:three"))
            spent[system].append(thread_seconds(system.pid) - before)
        systems = [*systems[1:], systems[0]]
    cpu = {system: statistics.median(spent[system]) for system in systems}
    base = (cpu[empty] + cpu[control]) / 2
    whole = statistics.median(wall[crowded]) / statistics.median(wall[empty] + wall[control])
    return Crowding((cpu[crowded] / base - 1) * 100, (whole - 1) * 100, abs(cpu[empty] - cpu[control]) / base * 100)


async def accept_messages(count: int) -> float:
    """Return how many messages a second the inbox commits, with access and routing decided and the disk synced."""
    with tempfile.TemporaryDirectory(prefix="homarus-bench-") as folder:
        clock = SystemClock()
        database = await open_database(None, Path(folder), clock)
        policy = ChannelPolicyConfig.model_validate({"dmPolicy": "allowlist", "allowFrom": ["owner"]})
        accounts = Accounts((Account("net", "default", AccessRules(policy), Capabilities(max_text=4000)),))
        config = Config.model_validate({})
        stored = 0

        async def count_stored(what: Stored) -> None:
            nonlocal stored
            stored += what.message is not None and what.message.state == "queued"

        ingest = Ingest(clock, SessionRules(lambda: config, lambda: UTC), lambda: config)
        inbox = Inbox(database, clock, accounts, lambda: config, ingest, count_stored)
        numbers = iter(range(count))

        async def work() -> None:
            for number in numbers:
                address = Address("net", "default", f"chat-{number % 100}")
                await inbox.accept(Inbound(address, str(number), Sender("owner"), ChatKind.DIRECT, "ping"))

        gc.collect()
        gc.freeze()  # as the gateway does when it is ready
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(_WRITERS):
                group.create_task(work())
        spent = time.perf_counter() - begun
        gc.unfreeze()
        await database.close()
    if stored != count:
        raise RuntimeError(f"{count - stored} of {count} messages were not queued")
    return count / spent


async def idle_clients(system: Homarus, count: int) -> tuple[int, float]:
    """Connect clients that only listen; return how many there were and the KiB of the gateway for each."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(count, soft - 500)
    before, numbers = resident_mib(system.pid), iter(range(1, count + 1))
    clients = [system.client() for _ in range(count)]

    async def work() -> None:
        for number in numbers:
            await clients[number - 1].connect()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_OPENERS):
                group.create_task(work())
        await asyncio.sleep(1)
        return count, (resident_mib(system.pid) - before) * 1024 / count
    finally:
        await asyncio.gather(*(client.close() for client in clients))
