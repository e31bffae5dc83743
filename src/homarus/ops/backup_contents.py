"""What belongs into a backup: what a start could not make again in the state folder, and what it points at."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from homarus.config.load import LoadedConfig
from homarus.config.paths import StateDir
from homarus.errors import ConfigError, StorageError
from homarus.ops.backup_manifest import ELSEWHERE, STATE, DatabaseRecord, Elsewhere, is_safe_link

MADE_AGAIN: Final = frozenset({"logs", "backups", "gateway.lock", "running.json", ".write-check"})
"""What stands in the state folder only while it runs, or is a record of running."""
MAX_FILES: Final = 1_000_000
_SQLITE: Final = "sqlite:///"
_DATABASE_FILES: Final = ("", "-wal", "-shm", "-journal")


class Contents(Struct):
    """What to keep. `files` are paths by member name, `database_file` is the SQLite file to copy, None for none."""

    database: DatabaseRecord
    database_file: Path | None
    files: dict[str, Path] = field(default_factory=dict[str, Path])
    links: dict[str, str] = field(default_factory=dict[str, str])
    elsewhere: list[Elsewhere] = field(default_factory=list[Elsewhere])
    left_out: list[str] = field(default_factory=list[str])


def find_contents(state: StateDir, loaded: LoadedConfig | None) -> Contents:
    """Look at the disk. `loaded` is None when the configuration is broken: then the defaults say where things are.

    Raises StorageError for a state folder that is not there or has more than MAX_FILES files.
    """
    if not state.root.is_dir():
        raise StorageError(f"there is no state folder {state.root}", fix="set HOMARUS_HOME to the right one")
    record, file = _database(state, loaded)
    contents = Contents(record, file)
    skipped = {state.database.with_name(state.database.name + ending) for ending in _DATABASE_FILES}
    skipped |= {state.root / name for name in MADE_AGAIN}
    if file is not None:
        skipped |= {file.with_name(file.name + ending) for ending in _DATABASE_FILES}
    _add_tree(contents, state.root, STATE, skipped)
    if loaded is not None:
        _add_config(contents, state, loaded)
        _add_workspaces(contents, state, loaded)
    return contents


def _database(state: StateDir, loaded: LoadedConfig | None) -> tuple[DatabaseRecord, Path | None]:
    url = loaded.config.storage.url if loaded is not None else None
    address = url.reveal() if url is not None else ""
    if address.startswith(_SQLITE):
        file = Path(address.removeprefix(_SQLITE).partition("?")[0]).absolute()
        path = None if file == state.database else str(file)
    elif address:
        return DatabaseRecord("postgresql"), None
    else:
        file, path = state.database, None
    return (DatabaseRecord("sqlite", path=path), file) if file.exists() else (DatabaseRecord("none"), None)


def _add_config(contents: Contents, state: StateDir, loaded: LoadedConfig) -> None:
    """Add the configuration's files that are not in the state folder, with the `.env` beside it."""
    outside = [path for path in (*loaded.files, loaded.path.parent / ".env") if not _is_below(path, state.root)]
    for path in dict.fromkeys(outside):
        if path.is_file():
            name = _note_elsewhere(contents, "configuration", path)
            contents.files[name] = path


def _add_workspaces(contents: Contents, state: StateDir, loaded: LoadedConfig) -> None:
    agents = loaded.config.agents
    for agent in dict.fromkeys((agents.default_id, *(entry.id for entry in agents.list))):
        try:
            folder = state.workspace(agent, loaded.config)
        except ConfigError as error:
            contents.left_out.append(f"workspace of {agent}: {error.message}")
            continue
        known = {Path(item.path) for item in contents.elsewhere}
        if folder.is_dir() and folder not in known and not _is_below(folder, state.root):
            _add_tree(contents, folder, _note_elsewhere(contents, f"workspace of {agent}", folder), set())


def _note_elsewhere(contents: Contents, what: str, path: Path) -> str:
    name = f"{ELSEWHERE}/{len(contents.elsewhere)}"
    contents.elsewhere.append(Elsewhere(name, what, str(path)))
    return name


def _add_tree(contents: Contents, root: Path, prefix: str, skipped: set[Path]) -> None:
    for path in _walk(root, skipped, contents.left_out):
        name = f"{prefix}/{path.relative_to(root).as_posix()}"
        if "\\" in name or not name.isprintable():
            contents.left_out.append(f"{path}: its name has characters that not every system can store")
        elif path.is_symlink():
            _add_link(contents, name, path)
        elif stat.S_ISREG(path.lstat().st_mode):
            contents.files[name] = path
        # Sockets, pipes and devices have no contents.
        if len(contents.files) > MAX_FILES:
            raise StorageError(
                f"{root} holds more than {MAX_FILES} files", fix="move what the assistant does not need elsewhere"
            )


def _add_link(contents: Contents, name: str, path: Path) -> None:
    target = str(path.readlink())
    if is_safe_link(name, target):
        contents.links[name] = target
    else:
        contents.left_out.append(f"{path}: a link to {target}, outside the folder")


def _walk(root: Path, skipped: set[Path], left_out: list[str]) -> Iterator[Path]:
    """Yield everything that is no folder; folders behind links are not entered."""

    def note(error: OSError) -> None:
        left_out.append(f"{error.filename}: {error.strerror}")

    for folder, folders, files in os.walk(root, onerror=note):
        here = Path(folder)
        linked = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in linked and here / name not in skipped)
        for name in sorted([*files, *linked]):
            is_unfinished = name.startswith(".") and name.endswith(".tmp")
            if here / name not in skipped and not is_unfinished:
                yield here / name


def _is_below(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())
