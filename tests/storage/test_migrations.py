from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from homarus.storage.postgres import create_postgres_engine
from homarus.storage.schema import HEAD, REVISIONS, create_schema
from homarus.storage.sqlite import create_sqlite_engine
from homarus.storage.tables import metadata
from homarus.storage.upgrade import alembic_config, run_migrations

POSTGRES_COLUMNS = """
SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position
"""
POSTGRES_INDEXES = (
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname"
)
POSTGRES_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace ORDER BY conrelid::regclass::text, conname
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        made = create_sqlite_engine(tmp_path / "x.db")
    else:
        made = create_postgres_engine(request.getfixturevalue("postgres_url"))
    yield made
    made.dispose()


def is_in_metadata(_object: object, name: str | None, *_rest: object) -> bool:
    return not (name or "").startswith(("memory_search", "ix_memory_facts_search"))


def describe(connection: Connection) -> list[Any]:
    """Return all there is to know about a schema, independent of the order in which it was made."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"))
        tables = [row.name for row in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))]
        columns = [tuple(row) for name in tables for row in connection.execute(text(f"PRAGMA table_info({name})"))]
        # A primary key may be written on its column or below; table_info has it either way.
        described = [(r.type, r.name, r.tbl_name, r.sql if r.type != "table" else None) for r in rows]
        return described + sorted(columns, key=str)
    queries = (POSTGRES_COLUMNS, POSTGRES_INDEXES, POSTGRES_CONSTRAINTS)
    return [tuple(row) for query in queries for row in connection.execute(text(query))]


def clear(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text("DROP TABLE memory_search"))
    metadata.drop_all(connection)
    connection.execute(text("DROP TABLE alembic_version"))


def test_migrations_from_nothing_make_exactly_the_schema_of_a_new_database(engine: Engine) -> None:
    with engine.begin() as connection:
        create_schema(connection)
        expected = describe(connection)
        clear(connection)

    run_migrations(engine)

    with engine.connect() as connection:
        assert describe(connection) == expected
        assert len(expected) > 20


def test_the_tables_in_code_match_what_the_migrations_make(engine: Engine) -> None:
    run_migrations(engine)

    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": is_in_metadata}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_every_revision_is_known_in_its_order() -> None:
    script = ScriptDirectory.from_config(alembic_config())

    assert script.get_current_head() == HEAD
    assert [revision.revision for revision in script.walk_revisions()] == list(reversed(REVISIONS))
