"""A real gateway dies by SIGKILL at every step of the journal and is started again: nothing lost, nothing doubled.

One kill per cell (failpoint, database, channel), or HOMARUS_CRASH_REPEAT of them (`make crash`), at its first, second,
third ... pass; every further kill meets the history of the ones before.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from msgspec import Struct, field
from tests.crash.conftest import CELL
from tests.crash.drivers import DRIVERS, OUTBOX_DRIVERS, ChannelDriver
from tests.crash.history import History, check_stories, open_history
from tests.crash.scenarios import MARKED, PLAIN, SCENARIOS, Scenario
from tests.crash.script import answer, check_request, final_text, side_effects
from tests.e2e.process import GatewayProcess, gateway, write_config

from homarus.cli.main import FAILPOINT
from homarus.failpoints import Failpoint
from homarus.pipeline.delivery import NOTICE
from homarus.testing.model_server import ModelServer

REPEAT = int(os.environ.get("HOMARUS_CRASH_REPEAT", "1"))
MOST_PASSES = 6
"""Passes after which repeated kills begin with the first again."""
PATIENCE = 45.0  # seconds for a process to die or to come to rest

pytestmark = [pytest.mark.crash, pytest.mark.timeout(60 + 30 * REPEAT)]


class Cell(Struct):
    """One gateway's home over all its lives, with the person who writes to it."""

    point: Failpoint
    home: Path
    person: ChannelDriver
    model: ModelServer
    history: History
    tokens: list[str] = field(default_factory=list[str])
    unrun: set[str] = field(default_factory=set[str])
    replies: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    seen: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    kills: int = 0

    @property
    def scenario(self) -> Scenario:
        return SCENARIOS[self.point]

    async def kill(self, at_pass: int) -> None:
        """Let a gateway die at the given pass of the failpoint, start another and let it come to rest."""
        async with gateway(self.home, {FAILPOINT: f"{self.point}:{at_pass}"}) as doomed:
            await self.person.join(doomed)
            last = await self._talk_until_death(doomed, at_pass)
        async with gateway(self.home) as healed:
            await self.person.join(healed)
            await self.person.make_good(last, was_journalled=not self.scenario.is_before_journal)
            async with asyncio.timeout(PATIENCE):
                await self.history.until_ended(self.tokens)
            await self._check()

    async def _talk_until_death(self, doomed: GatewayProcess, at_pass: int) -> str:
        """Write as many messages as it takes to pass the failpoint so often; return the one that killed."""
        messages, within = divmod(at_pass - 1, self.scenario.passes)
        for _ in range(messages):
            await self.person.send(self._new_token())
            async with asyncio.timeout(PATIENCE):
                await self.history.until_ended(self.tokens)
        assert doomed.process.returncode is None
        last = self._new_token()
        if within + 1 in self.scenario.is_unrun:
            self.unrun.add(last)
        self.replies[last] = self.scenario.replies
        await self.person.send(last)
        async with asyncio.timeout(PATIENCE):
            assert await doomed.process.wait() == -signal.SIGKILL
        self.kills += 1
        return last

    def _new_token(self) -> str:
        self.tokens.append(f"token-{len(self.tokens) + 1:04d}")
        return self.tokens[-1]

    async def _check(self) -> None:
        replies = {token: await self.person.replies(token) for token in self.tokens}
        kinds = {token: [_kind(text, token) for text in texts] for token, texts in replies.items()}
        self.seen = {token: Counter(found) for token, found in kinds.items()}
        check_stories(await self.history.stories(), self.tokens, has_outbox=self.person.has_outbox)
        for request in self.model.requests:
            check_request(request.body)
        for token, found in kinds.items():
            assert tuple(found) == self.replies.get(token, (PLAIN,)), f"replies to {token}"
            assert side_effects(self.home / "workspace", token) == (token not in self.unrun), f"command of {token}"

    def tally(self) -> tuple[int, int, int, int]:
        """Return kills, messages without a reply, messages with a second unmarked one, and marked replies."""
        found = self.seen.values()
        doubled = sum(max(0, kinds[PLAIN] - 1) for kinds in found)
        return self.kills, sum(not kinds for kinds in found), doubled, sum(kinds[MARKED] for kinds in found)


@pytest.mark.parametrize("channel", DRIVERS)
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize("point", Failpoint)
async def test_a_kill_loses_nothing_and_doubles_nothing(
    point: Failpoint,
    dialect: str,
    channel: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    url: str | None = request.getfixturevalue("postgres_url") if dialect == "postgresql" else None
    drivers = OUTBOX_DRIVERS if SCENARIOS[point].is_delivery else DRIVERS
    async with AsyncExitStack() as stack:
        person = await stack.enter_async_context(drivers[channel](tmp_path))
        model = await stack.enter_async_context(ModelServer(answer=answer))
        home = tmp_path / "home"
        write_config(home, _config(model, person, url))
        history = await stack.enter_async_context(open_history(url, home))
        cell = Cell(point, home, person, model, history)
        # PostgreSQL begins with the second pass, so that a single round sees both a fresh and a used session.
        first = 0 if dialect == "sqlite" else 1
        try:
            for number in range(REPEAT):
                await cell.kill((first + number) % MOST_PASSES + 1)
        finally:
            record_property(CELL, [str(point), dialect, channel, *cell.tally()])


def test_every_failpoint_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(Failpoint)


def _config(model: ModelServer, person: ChannelDriver, url: str | None) -> Mapping[str, object]:
    provider = {"baseUrl": model.base_url, "apiKey": "none", "api": "openai-completions",
                "models": [{"id": "mock", "name": "Mock"}]}  # fmt: skip
    return {
        "models": {"providers": {"mock": provider}},
        "agents": {"defaults": {"model": "mock/mock"}},
        "messages": {"queue": {"debounceMs": 0}},
        "channels": person.sections(),
        **({"storage": {"url": url}} if url else {}),
    }


def _kind(text: str, token: str) -> str:
    assert text.removeprefix(NOTICE) == final_text(token)
    return MARKED if text.startswith(NOTICE) else PLAIN
