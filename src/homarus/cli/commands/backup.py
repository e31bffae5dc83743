"""`homarus backup`: everything in one file, checked, and put back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from homarus.cli.options import AsJson, Yes, group
from homarus.cli.prompts import agree
from homarus.cli.screen import clean, facts, say, show_json, warn
from homarus.clock import SystemClock
from homarus.config import environment
from homarus.config.paths import StateDir

if TYPE_CHECKING:
    from homarus.ops.backup_manifest import Manifest

app = group("Back up everything into one file, check it, put it back.")

Archive = Annotated[Path, typer.Argument(metavar="FILE", help="The archive.")]


@app.command()
def create(
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where it goes.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an archive of database, configuration, keys and workspaces, and verify it; a gateway may run meanwhile.

    It holds secrets: only you can read it, and it belongs on another machine as well. Without --output it goes to the
    folder `backups` of the state folder.
    """
    from homarus.ops.backups import create as create_backup

    made = create_backup(_state(), SystemClock(), output)
    if as_json:
        show_json({"file": str(made.path), "bytes": made.size, **_summary(made.manifest)})
        return
    say(f"{made.path}  {_size(made.size)}, verified")
    _show(made.manifest)


@app.command()
def verify(file: Archive, as_json: AsJson = False) -> None:
    """Check every checksum in an archive, and the database in it page by page."""
    from homarus.ops.backup_reading import verify as verify_backup

    manifest = verify_backup(file)
    if as_json:
        show_json({"file": str(file), "ok": True, **_summary(manifest)})
        return
    say(f"{file} is intact.")
    _show(manifest)


@app.command()
def restore(
    file: Archive,
    outside: Annotated[
        bool | None,
        typer.Option("--outside/--no-outside", help="Put back what lay outside the state folder, or leave it."),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Replace the state folder by an archive; the gateway must be stopped.

    The folder as it is now is kept beside it as NAME.before-restore.
    """
    from homarus.ops.restoring import restore as restore_backup

    state = _state()
    if not yes and state.root.exists():
        agree(f"Replace {state.root} by {file}? The folder as it is now is kept.")
    done = restore_backup(state, file, SystemClock(), with_outside=outside)
    if as_json:
        show_json({"restored": str(state.root), "kept": [str(path) for path in done.kept], **_summary(done.manifest)})
        return
    say(f"Restored {state.root}.")
    for path in done.kept:
        say(f"What was there before is in {path}.")
    _show(done.manifest)
    say("next: homarus doctor, then homarus up")


def _state() -> StateDir:
    return StateDir.resolve(environment.process_environment())


def _show(manifest: Manifest) -> None:
    facts(
        [
            ("made", f"{_moment(manifest.created_at)} by Homarus {manifest.homarus} of {manifest.root}"),
            ("files", f"{len(manifest.files)}, {_size(sum(record.size for record in manifest.files.values()))}"),
            ("database", _database(manifest)),
        ]
    )
    for item in manifest.elsewhere:
        say(clean(f"also: {item.what} {item.path}"))
    for reason in manifest.left_out:
        warn(f"not included: {reason}")
    if manifest.database.kind == "postgresql":
        warn(
            "the PostgreSQL database is NOT in this archive: sessions, messages and jobs are there. "
            "Back it up at the same time, for example: pg_dump --format=custom --file=homarus.dump DATABASE_URL; "
            "restore it with: pg_restore --clean --if-exists --dbname=DATABASE_URL homarus.dump"
        )


def _database(manifest: Manifest) -> str:
    record = manifest.database
    if record.kind == "sqlite":
        return f"SQLite, schema {record.revision}"
    return "PostgreSQL, not included" if record.kind == "postgresql" else "there was none yet"


def _summary(manifest: Manifest) -> dict[str, object]:
    return {
        "createdAtMs": manifest.created_at,
        "version": manifest.homarus,
        "files": len(manifest.files),
        "database": manifest.database.kind,
        "databaseIncluded": manifest.database.kind == "sqlite",
        "schema": manifest.database.revision,
        "elsewhere": [{"what": item.what, "path": item.path} for item in manifest.elsewhere],
        "leftOut": list(manifest.left_out),
    }


def _moment(milliseconds: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _size(count: int) -> str:
    size, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
