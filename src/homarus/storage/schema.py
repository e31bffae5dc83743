"""The schema as a whole: its revision, its creation and the full-text search that metadata cannot express.

A new revision adds a file to `migrations/versions`, its id to the end of REVISIONS and its effect to `tables`.
"""

from __future__ import annotations

from sqlalchemy import Connection, column, insert, inspect, table

from homarus.storage.tables import metadata

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Every revision this version can read, oldest first."""

HEAD = REVISIONS[-1]
"""The revision this version works with."""

# PostgreSQL's parser keeps addresses, paths and hyphenated words whole; blanking punctuation gives the words of SQLite.
PUNCTUATION = "_-./:@+#&=?~"
SEARCH_VECTOR = f"to_tsvector('simple', translate(text, '{PUNCTUATION}', '{' ' * len(PUNCTUATION)}'))"

SEARCH = {
    "sqlite": [
        """
CREATE VIRTUAL TABLE memory_search USING fts5(
    text, content='memory_facts', content_rowid='seq', tokenize='unicode61 remove_diacritics 2', prefix='2 3')
""",
        """
CREATE TRIGGER memory_facts_insert AFTER INSERT ON memory_facts BEGIN
    INSERT INTO memory_search(rowid, text) VALUES (new.seq, new.text);
END
""",
        """
CREATE TRIGGER memory_facts_delete AFTER DELETE ON memory_facts BEGIN
    INSERT INTO memory_search(memory_search, rowid, text) VALUES ('delete', old.seq, old.text);
END
""",
        """
CREATE TRIGGER memory_facts_update AFTER UPDATE OF text ON memory_facts BEGIN
    INSERT INTO memory_search(memory_search, rowid, text) VALUES ('delete', old.seq, old.text);
    INSERT INTO memory_search(rowid, text) VALUES (new.seq, new.text);
END
""",
    ],
    "postgresql": [f"CREATE INDEX ix_memory_facts_search ON memory_facts USING gin ({SEARCH_VECTOR})"],
}


def create_schema(connection: Connection) -> None:
    """Create every table in an empty database and mark it with HEAD, in the transaction of `connection`."""
    metadata.create_all(connection, checkfirst=False)
    for statement in SEARCH[connection.dialect.name]:
        connection.exec_driver_sql(statement.strip())
    # The table alembic itself would make; writing it by hand spares a new database 150 ms and 12 MB of imports.
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version ("
        "version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.execute(insert(table("alembic_version", column("version_num"))).values(version_num=HEAD))


def read_revision(connection: Connection) -> str | None:
    """Return the revision of a database, None when it has no tables, `foreign` when it is not one of ours."""
    names = inspect(connection).get_table_names()
    if "alembic_version" not in names:
        return "foreign" if names else None
    rows = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    return str(rows[0]) if len(rows) == 1 else "foreign"
