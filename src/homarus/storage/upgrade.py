"""From an older schema to HEAD: a verified backup first, then the migrations, all in one transaction."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Engine
from sqlalchemy.exc import SQLAlchemyError

from homarus.clock import Clock
from homarus.errors import StorageError
from homarus.storage.backup import copy_database
from homarus.storage.driver import driver_of
from homarus.storage.schema import HEAD

MIGRATIONS = Path(__file__).parent / "migrations"
DUMP_SECONDS = 3600.0


def upgrade(engine: Engine, revision: str, state_root: Path, clock: Clock, *, skip_backup: bool) -> None:
    """Back up and upgrade. Raises StorageError; the database is then as it was."""
    stamp = datetime.fromtimestamp(clock.now_ms() / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    target = state_root / "backups" / f"homarus-{revision}-{stamp}"
    backup = _backup(engine, target, skip_backup=skip_backup)
    try:
        run_migrations(engine)
    except SQLAlchemyError as error:
        kept = f" (a backup is at {backup})" if backup else ""
        raise StorageError(
            f"the upgrade from schema {revision} to {HEAD} failed, the database is unchanged{kept}: {error}",
            fix="start the previous version of Homarus and report this",
        ) from error


def run_migrations(engine: Engine, revision: str = "head") -> None:
    """Run the migrations up to `revision` in one transaction."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.begin()
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def alembic_config() -> Config:
    """Return the configuration of alembic for our migrations, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _backup(engine: Engine, target: Path, *, skip_backup: bool) -> Path | None:
    if engine.dialect.name == "sqlite":
        path = target.with_name(target.name + ".db")
        with engine.connect() as connection:
            copy_database(driver_of(connection), path)
        return path
    if skip_backup:
        return None
    path = target.with_name(target.name + ".dump")
    dump_postgres(engine.url, path)
    return path


def dump_postgres(url: URL, path: Path) -> None:
    """Write a pg_dump archive (mode 0600) and check its table of contents. Raises StorageError."""
    dump, restore = shutil.which("pg_dump"), shutil.which("pg_restore")
    if dump is None or restore is None:
        raise _dump_failed("pg_dump is not installed")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(path.name + ".partial")
    partial.touch(mode=0o600)
    try:
        with tempfile.TemporaryDirectory(prefix="homarus-") as folder:
            # A password in an argument is readable by every user of the machine.
            password = Path(folder) / "pgpass"
            password.touch(mode=0o600)
            password.write_text(f"*:*:*:*:{_escape(url.password or '')}\n", encoding="utf-8")
            query = {**url.query, "passfile": str(password)}
            address = url.set(drivername="postgresql", password=None, query=query).render_as_string(hide_password=False)
            _run(dump, "--format=custom", "--no-password", f"--file={partial}", f"--dbname={address}")
        _run(restore, "--list", str(partial))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _escape(password: str) -> str:
    return password.replace("\\", "\\\\").replace(":", "\\:")


def _run(*arguments: str) -> None:
    try:
        # The program comes from PATH by its absolute name, no argument is read by a shell.
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=DUMP_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _dump_failed(str(error)) from error
    if done.returncode != 0:
        raise _dump_failed(done.stderr.strip()[-500:] or f"exit status {done.returncode}")


def _dump_failed(reason: str) -> StorageError:
    return StorageError(
        f"the schema must be upgraded, and no backup could be made first: {reason}",
        fix="install a PostgreSQL client at least as new as the server (apt install postgresql-client), "
        "or make your own backup and set storage.skipBackup to true",
    )
