"""Let a gateway run for an hour as at home, and look whether anything grows, is lost or is said twice.

    python benchmarks/soak.py [--minutes 60] [--rate 2] [--write]

Half of the messages come over WebSocket in 100 sessions, half from Telegram, whose test server refuses, cuts off and
forgets to answer some calls and gives some updates twice. Every fifth answer there comes slowly, so that it is shown
while it grows. A conversation begins anew after twenty messages, as conversations do; what grows beyond that is a leak.
Once a minute another client comes and goes, and every five minutes the configuration is read anew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import random
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import cast

import aiohttp
from figures import MIB, resident_mib
from msgspec import Struct, field
from report import curves, machine, write_section
from systems import KEY, Homarus

from homarus.pipeline.outbox import NOTICE
from homarus.testing.model_server import JsonObject, ModelServer, Pause, Reply, Say
from homarus.testing.telegram.faults import Fault, FaultKind
from homarus.testing.telegram.people import People
from homarus.testing.telegram.server import TelegramServer
from homarus.testing.telegram.world import Person

HERE = Path(__file__).parent
SESSIONS = 100
SLOW = 5
"""Every so many Telegram messages one is answered slowly."""
FAULTY = 20
"""Every so many Telegram messages the server misbehaves."""
LENGTH = 20
"""Messages of a conversation until somebody begins a new one."""
THINKING = 2.5  # seconds of a slow answer
PATIENCE = 60.0  # seconds for the last answers
RELOAD_MINUTES = 5
SEED = 1
PERSONS = tuple(Person(6_000_000_000 + number, f"Guest {number}") for number in range(20))
MARK = re.compile(r"(?:tg|web)-\d+")
ENDED = re.compile(r"Done with (tg-\d+)\.")


class Sample(Struct, frozen=True):
    """What the gateway held at one moment: memory and its database in MiB, the rest as counts."""

    minute: float
    messages: int
    resident: float
    descriptors: int
    threads: int
    tasks: int
    database: float

    def __str__(self) -> str:
        """Return one line of the report."""
        return (
            f"{self.minute:6.1f} min {self.messages:7,} messages {self.resident:7.1f} MiB {self.descriptors:4} "
            f"descriptors {self.threads:3} threads {self.tasks:4} tasks, database {self.database:6.1f} MiB"
        )


class Answers(Struct, frozen=True):
    """What the people of the Telegram chat saw."""

    asked: int
    lost: int
    doubled: int
    marked: int

    def __str__(self) -> str:
        """Return one line of the report."""
        return (
            f"Telegram: {self.asked:,} messages, {self.lost} without an answer, {self.doubled} answered twice, "
            f"{self.marked} repeated with the notice after a lost answer of the server"
        )


class Chat(Struct):
    """The Telegram end: people who ask in turn, and a server that does things wrong."""

    server: TelegramServer
    people: People
    chance: random.Random
    asked: list[str] = field(default_factory=list[str])

    def ask(self) -> None:
        """Write one message, and let the server misbehave now and then."""
        number = len(self.asked)
        if number % FAULTY == FAULTY - 1:
            self._misbehave()
        self.server.repeat = 2 if number % FAULTY == 1 else 1
        self.asked.append(f"tg-{number}")
        turn, person = divmod(number, len(PERSONS))
        self.people.say(PERSONS[person], words(self.asked[-1], turn))

    def _misbehave(self) -> None:
        kind = self.chance.choice([FaultKind.REFUSE, FaultKind.PAGE, FaultKind.CUT, FaultKind.LOSE, FaultKind.HALF])
        method = self.chance.choice(["sendMessage", "getUpdates", "editMessageText"])
        if kind is FaultKind.REFUSE:
            self.server.faults.refuse(method, 429, "Too Many Requests: retry after 1", retry_after=1)
        else:
            self.server.faults.add(method, Fault(kind, code=502))

    def answers(self) -> Answers:
        """Count the answers that stand in the chats."""
        plain, marked = Counter[str](), Counter[str]()
        for sent in self.server.sent:
            if not sent.is_deleted:
                (marked if sent.text.startswith(NOTICE) else plain).update(ENDED.findall(sent.text))
        lost = sum(not plain[mark] and not marked[mark] for mark in self.asked)
        doubled = sum(max(0, plain[mark] - 1) for mark in self.asked)
        return Answers(len(self.asked), lost, doubled, marked.total())

    async def until_answered(self) -> None:
        """Wait until no answer is missing, at most PATIENCE; what is missing then counts as lost."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self.answers().lost:
                    await self.server.changed()


def words(mark: str, turn: int) -> str:
    """Return what is said in a turn of a conversation, which begins anew now and then."""
    return mark if turn % LENGTH else f"/new {mark}"


def answer(body: JsonObject) -> Reply:
    """Answer the newest message of a request by its mark, and some of Telegram's slowly."""
    newest = cast("list[object]", body["messages"])[-1]
    mark = (MARK.findall(str(newest)) or ["ping"])[-1]
    if not (mark.startswith("tg-") and int(mark[3:]) % SLOW == 0):
        return Say(f"Done with {mark}.")
    go = asyncio.Event()
    asyncio.get_running_loop().call_later(THINKING, go.set)
    return Pause("I am at it. This takes a moment, but there will be an end. ", f"Done with {mark}.", go)


def sections(server: TelegramServer) -> dict[str, object]:
    """Return what the configuration holds besides the model."""
    bot = {"apiRoot": server.root, "botToken": server.bot.token, "dmPolicy": "allowlist",
           "allowFrom": [str(person.id) for person in PERSONS]}  # fmt: skip
    return {"channels": {"telegram": bot}, "session": {"dmScope": "per-channel-peer"}}


async def scrape(system: Homarus) -> dict[str, float]:
    """Return the plain figures of `/metrics`, without their prefix."""
    url = system.url.replace("ws", "http", 1)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics", headers=headers) as response:
        lines = (await response.text()).splitlines()
    pairs = (line.removeprefix("homarus_").split() for line in lines if line and line[0] != "#" and "{" not in line)
    return {name: float(value) for name, value in pairs}


async def sample(system: Homarus, minute: float, messages: int) -> Sample:
    """Look at the gateway."""
    seen = await scrape(system)
    descriptors, threads, tasks = (int(seen[name]) for name in ("open_file_descriptors", "threads", "tasks"))
    database = sum(file.stat().st_size for file in system.home.glob("homarus.db*")) / MIB
    return Sample(minute, messages, resident_mib(system.pid), descriptors, threads, tasks, database)


async def come_and_go(system: Homarus, number: int) -> None:
    """Let another client connect, ask something and leave."""
    client = system.client(number)
    await client.connect()
    await client.call("sessions.list", {"limit": 20})
    await client.close()


async def converse(system: Homarus, chat: Chat, minutes: float, rate: float) -> AsyncGenerator[Sample]:
    """Write messages at a steady rate; yield a sample a minute and one at the end."""
    begun, sent = time.monotonic(), 0
    for minute in range(math.ceil(minutes)):
        yield await sample(system, minute, sent)
        await come_and_go(system, minute + 1)
        if minute % RELOAD_MINUTES == RELOAD_MINUTES - 1:
            os.kill(system.pid, signal.SIGHUP)
        while (passed := time.monotonic() - begun) < min(minute + 1, minutes) * 60:
            if sent % 2:
                chat.ask()
            else:
                turn, session = divmod(sent // 2, SESSIONS)
                await system.turn(f"agent:main:soak-{session}", words(f"web-{sent // 2}", turn))
            sent += 1
            await asyncio.sleep(max(0.0, sent / rate - passed))
    await chat.until_answered()
    yield await sample(system, minutes, sent)


async def soak(minutes: float, rate: float) -> tuple[list[Sample], Answers]:
    """Run a gateway under load; return the samples and what the people of Telegram saw."""
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="homarus-soak-") as folder:
        async with ModelServer(answer=answer) as model, TelegramServer() as server:
            system = Homarus(Path(folder) / "home", model.base_url, sections(server))
            chat = Chat(server, People(server), random.Random(SEED))
            await system.start()
            try:
                async for one in converse(system, chat, minutes, rate):
                    print(one, flush=True)
                    samples.append(one)
            finally:
                await system.stop()
            return samples, chat.answers()


def growth(samples: Sequence[Sample]) -> str:
    """Return how the figures changed between the end of the first tenth and the end."""
    early, last = samples[math.ceil(len(samples) / 10)], samples[-1]
    names = ("resident", "descriptors", "threads", "tasks", "database")
    changes = ", ".join(f"{name} {getattr(early, name):.4g} → {getattr(last, name):.4g}" for name in names)
    what = f"{last.messages:,} messages in {last.minute:g} minutes"
    return f"{what}; from minute {early.minute:.0f} to the end, memory and database in MiB: {changes}"


def plot(samples: Sequence[Sample]) -> str:
    """Return the figures over time, each as a share of its greatest value."""
    names = ("resident", "descriptors", "threads", "tasks", "database")
    return curves({name: [(one.minute, getattr(one, name)) for one in samples] for name in names}, "minutes")


def page(samples: Sequence[Sample], answers: Answers, load: float) -> str:
    """Return the part of README.md about a run."""
    return f"\n{machine(load)}\n\n{growth(samples)}. {answers}.\n\n![An hour](soak.svg)\n"


def main() -> None:
    """Soak and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=2, help="messages a second")
    parser.add_argument("--write", action="store_true", help="put the result into README.md and soak.svg")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    samples, answers = asyncio.run(soak(given.minutes, given.rate))
    print(growth(samples), answers, sep="\n")
    if given.write:
        (HERE / "soak.svg").write_text(plot(samples))
        write_section(HERE / "README.md", "soaked", page(samples, answers, load))
    if answers.lost or answers.doubled:
        raise SystemExit("Messages were lost or answered twice.")


if __name__ == "__main__":
    main()
