from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homarus.labels import OPERATOR, Confidentiality, Integrity, Label
from homarus.storage import memory
from homarus.storage.database import Database

WEB = Label(Integrity.EXTERNAL, Confidentiality.PUBLIC, ("tool:web",))


async def add(database: Database, fact: str, agent: str = "main", label: Label = OPERATOR) -> int:
    return await database.write(memory.add_fact, agent, fact, label.as_json(), "run", 5)


async def search(database: Database, query: str, agent: str = "main", limit: int = 10) -> list[str]:
    return [row.text for row in await database.read(memory.search_facts, agent, query, limit)]


async def test_a_fact_is_found_by_its_words_with_its_label(database: Database) -> None:
    fact_id = await add(database, "the owner's cat is called Moritz", label=WEB)
    await add(database, "the garage code is on the fridge")

    found = await database.read(memory.search_facts, "main", "what is my CAT called?", 10)

    assert found[0] == memory.FactRow(fact_id, "main", "the owner's cat is called Moritz", WEB, "run", 5, None)


async def test_the_best_match_comes_first(database: Database) -> None:
    await add(database, "green tea in the morning")
    await add(database, "blue car, green roof, bought in spring")
    await add(database, "yellow paint")

    assert await search(database, "green car") == ["blue car, green roof, bought in spring", "green tea in the morning"]


@pytest.mark.parametrize(
    ("fact", "query"),
    [
        ("favourite colour: turquoise", "favour"),
        ("write to anna@example.org", "anna"),
        ("write to anna@example.org", "example.org"),
        ("notes lie in /srv/notes/home_server.md", "server"),
        ("likes well-known songs", "known"),
        ("Straße und Öl", "öl"),
        ("我喜欢吃苹果和香蕉", "苹果"),
        ("любимый цвет зелёный", "Любимый"),
    ],
)
async def test_words_are_found_by_beginning_inside_addresses_and_in_any_script(
    database: Database, fact: str, query: str
) -> None:
    await add(database, fact)

    assert await search(database, query) == [fact]


@pytest.mark.parametrize("query", ["", "   ", "!?", '"', "'", "* OR", ":", "( NEAR", "%_"])
async def test_a_query_without_known_words_never_fails(database: Database, query: str) -> None:
    await add(database, "one")
    await add(database, "two")

    found = await search(database, query)

    assert found == ([] if any(character.isalnum() for character in query) else ["two", "one"])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
async def test_every_text_is_a_valid_query(database: Database, query: str) -> None:
    await database.read(memory.search_facts, "main", query, 3)


async def test_agents_do_not_see_each_others_facts(database: Database) -> None:
    await add(database, "the vault is blue", agent="one")
    await add(database, "the vault is red", agent="two")

    assert await search(database, "vault", agent="one") == ["the vault is blue"]
    assert await search(database, "", agent="two") == ["the vault is red"]


async def test_the_same_text_is_stored_once_per_agent(database: Database) -> None:
    ids = await asyncio.gather(*(add(database, "same") for _ in range(20)))

    assert len(set(ids)) == 1
    assert await add(database, "same", agent="other") not in ids
    assert await add(database, "same", label=WEB) == ids[0]
    assert [row.label for row in await database.read(memory.list_facts, "main")] == [OPERATOR]


async def test_a_superseded_fact_is_out_of_search_and_kept_in_the_history(database: Database) -> None:
    old = await add(database, "lives in Kiel")
    await add(database, "lives in Bremen")

    assert await database.write(memory.supersede_fact, "main", old, 9)

    assert await search(database, "lives") == ["lives in Bremen"]
    assert not await database.write(memory.supersede_fact, "main", old, 10)
    history = await database.read(lambda connection: memory.list_facts(connection, "main", is_history_wanted=True))
    assert [(row.text, row.superseded_at) for row in history] == [("lives in Bremen", None), ("lives in Kiel", 9)]
    assert await add(database, "lives in Kiel") != old


async def test_an_agent_cannot_supersede_the_fact_of_another(database: Database) -> None:
    fact_id = await add(database, "mine", agent="one")

    assert not await database.write(memory.supersede_fact, "two", fact_id, 9)
    assert await search(database, "mine", agent="one") == ["mine"]


async def test_no_more_than_the_limit_is_returned(database: Database) -> None:
    for number in range(5):
        await add(database, f"fact {number}")

    assert len(await search(database, "fact", limit=3)) == 3
    assert await search(database, "", limit=2) == ["fact 4", "fact 3"]
