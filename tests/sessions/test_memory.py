from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homarus.clock import SystemClock
from homarus.errors import UserError
from homarus.labels import OPERATOR, UNLABELLED
from homarus.sessions.memory import MAX_FACT, MAX_RECALL, Fact, MemoryFacts
from homarus.storage.opening import open_database


class StillClock(SystemClock):
    def now_ms(self) -> int:
        return 7


@pytest.fixture
async def facts(tmp_path: Path) -> AsyncIterator[MemoryFacts]:
    database = await open_database(None, tmp_path, StillClock())
    yield MemoryFacts(database, StillClock())
    await database.close()


async def test_what_was_remembered_is_recalled_with_its_label_and_time(facts: MemoryFacts) -> None:
    fact_id = await facts.remember("main", "  the key is\nunder the mat ", UNLABELLED, "run")

    assert await facts.recall("main", "key", 5) == [Fact(fact_id, "the key is under the mat", UNLABELLED, 7)]
    assert await facts.recall("other", "key", 5) == []


async def test_remembering_twice_gives_the_same_id(facts: MemoryFacts) -> None:
    first = await facts.remember("main", "tea at four", OPERATOR, None)

    assert await facts.remember("main", "tea  at four", OPERATOR, "later") == first


@pytest.mark.parametrize(("text", "message"), [(" \n", "empty"), ("x" * (MAX_FACT + 1), f"at most {MAX_FACT}")])
async def test_a_text_that_is_no_fact_is_refused(facts: MemoryFacts, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        await facts.remember("main", text, OPERATOR, None)


@pytest.mark.parametrize(("limit", "count"), [(-5, 1), (0, 1), (3, 3), (10**9, MAX_RECALL)])
async def test_recall_is_bounded_whatever_is_asked(facts: MemoryFacts, limit: int, count: int) -> None:
    for number in range(MAX_RECALL + 5):
        await facts.remember("main", f"fact {number}", OPERATOR, None)

    assert len(await facts.recall("main", "fact", limit)) == count
