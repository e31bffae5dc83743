"""Looking at a database without changing it, for the doctor."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from homarus.storage.backup import verify_backup
from homarus.storage.postgres import create_postgres_engine, translate
from homarus.storage.schema import HEAD, REVISIONS, read_revision


class Inspection(Struct, frozen=True):
    """What was found. `where` is safe to show; `revision` is None when there are no tables yet.

    `size` is that of a SQLite file with its log, in bytes, None for a server.
    """

    where: str
    revision: str | None
    size: int | None = None

    @property
    def is_current(self) -> bool:
        """Tell whether this version works with the database as it is."""
        return self.revision is None or self.revision == HEAD

    @property
    def is_known(self) -> bool:
        """Tell whether this version can use the database, after an upgrade if need be."""
        return self.revision is None or self.revision in REVISIONS


def inspect_file(path: Path) -> Inspection:
    """Check every page of a SQLite database. Raises StorageError when it is damaged or not ours."""
    if not path.exists():
        return Inspection(str(path), None, 0)
    size = sum(each.stat().st_size for each in (path, path.with_name(f"{path.name}-wal")) if each.exists())
    return Inspection(str(path), verify_backup(path), size)


def inspect_server(url: str) -> Inspection:
    """Ask a PostgreSQL database for its schema. Raises StorageError when it cannot be reached."""
    engine = create_postgres_engine(url)
    try:
        with engine.connect() as connection:
            revision = read_revision(connection)
    except SQLAlchemyError as error:
        raise translate(error) from error
    finally:
        engine.dispose()
    return Inspection(engine.url.render_as_string(hide_password=True), revision)
