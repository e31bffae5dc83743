"""Facts an agent was told to remember, found by their words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    column,
    func,
    insert,
    literal_column,
    or_,
    select,
    table,
    text,
    update,
)

from homarus.labels import Label
from homarus.storage.schema import SEARCH_VECTOR
from homarus.storage.tables import memory_facts

MAX_WORDS = 16
MAX_WORD = 64
WORD = re.compile(r"[^\W_]+")
SEARCH = table("memory_search", column("rowid"), column("memory_search"))


class FactRow(Struct, frozen=True):
    """One fact. `superseded_at` is when a newer fact replaced it, in milliseconds."""

    id: int
    agent_id: str
    text: str
    label: Label
    run_id: str | None
    created_at: int
    superseded_at: int | None


def add_fact(
    connection: Connection, agent_id: str, fact: str, label_json: list[object], run_id: str | None, now: int
) -> int:
    """Store a fact and return its id; the same text, still valid, keeps the id and label it has."""
    if connection.dialect.name == "postgresql":
        # Two machines' threads must not both find nothing; SQLite has one writer.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:agent))"), {"agent": agent_id})
    known = select(memory_facts.c.seq).where(
        memory_facts.c.agent_id == agent_id,
        memory_facts.c.text == fact,
        memory_facts.c.superseded_at.is_(None),
    )
    found = connection.execute(known.limit(1)).scalar_one_or_none()
    if found is not None:
        return int(found)
    values = {"agent_id": agent_id, "text": fact, "label": label_json, "run_id": run_id, "created_at": now}
    key = connection.execute(insert(memory_facts), values).inserted_primary_key
    if key is None:
        raise LookupError(agent_id)
    return int(key[0])


def supersede_fact(connection: Connection, agent_id: str, fact_id: int, now: int) -> bool:
    """Take a fact out of search, keeping it stored; False when the agent has no such valid fact."""
    mine = (memory_facts.c.seq == fact_id, memory_facts.c.agent_id == agent_id, memory_facts.c.superseded_at.is_(None))
    return connection.execute(update(memory_facts).where(*mine).values(superseded_at=now)).rowcount == 1


def list_facts(
    connection: Connection, agent_id: str, limit: int | None = None, *, is_history_wanted: bool = False
) -> list[FactRow]:
    """Return an agent's facts, newest first; superseded ones only when the history is wanted."""
    query = select(memory_facts).where(memory_facts.c.agent_id == agent_id) if is_history_wanted else _valid(agent_id)
    query = query.order_by(memory_facts.c.seq.desc())
    if limit is not None:
        query = query.limit(limit)
    return _facts(connection, query)


def search_facts(connection: Connection, agent_id: str, query: str, limit: int) -> list[FactRow]:
    """Return valid facts with any word of `query` (as a whole or as a beginning), best first.

    Every text is a valid query. Without a word in it the newest facts are returned.
    """
    words = [word[:MAX_WORD] for word in WORD.findall(query)[:MAX_WORDS]]
    if not words:
        return list_facts(connection, agent_id, limit)
    ranked = _ranked_sqlite if connection.dialect.name == "sqlite" else _ranked_postgres
    found = _facts(connection, ranked(agent_id, words).limit(limit))
    return found or _search_unspaced(connection, agent_id, words, limit)


def _ranked_sqlite(agent_id: str, words: Sequence[str]) -> Select[Any]:
    pattern = " OR ".join(f'"{word}"*' for word in words)
    return (
        _valid(agent_id)
        .join(SEARCH, SEARCH.c.rowid == memory_facts.c.seq)
        .where(SEARCH.c.memory_search.op("MATCH")(pattern))
        .order_by(func.bm25(literal_column("memory_search")), memory_facts.c.seq.desc())
    )


def _ranked_postgres(agent_id: str, words: Sequence[str]) -> Select[Any]:
    pattern = func.to_tsquery("simple", " | ".join(f"'{word}':*" for word in words))
    vector: ColumnElement[Any] = literal_column(SEARCH_VECTOR)
    rank = func.ts_rank(vector, pattern)
    return _valid(agent_id).where(vector.op("@@")(pattern)).order_by(rank.desc(), memory_facts.c.seq.desc())


def _search_unspaced(connection: Connection, agent_id: str, words: Sequence[str], limit: int) -> list[FactRow]:
    """Find words inside longer ones, for scripts that are written without spaces."""
    unspaced = [word for word in words if not word.isascii()]
    if not unspaced:
        return []
    inside = or_(*(memory_facts.c.text.contains(word, autoescape=True) for word in unspaced))
    return _facts(connection, _valid(agent_id).where(inside).order_by(memory_facts.c.seq.desc()).limit(limit))


def _valid(agent_id: str) -> Select[Any]:
    return select(memory_facts).where(memory_facts.c.agent_id == agent_id, memory_facts.c.superseded_at.is_(None))


def _facts(connection: Connection, query: Select[Any]) -> list[FactRow]:
    return [_fact(row) for row in connection.execute(query)]


def _fact(row: Row[Any]) -> FactRow:
    return FactRow(
        row.seq, row.agent_id, row.text, Label.from_json(row.label), row.run_id, row.created_at, row.superseded_at
    )
