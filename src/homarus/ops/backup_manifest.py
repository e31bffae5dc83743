"""What an archive says of itself: its last member, `manifest.json`, with the SHA-256 of every other one."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Final, Literal, cast

from msgspec import Struct, field, to_builtins

from homarus.errors import StorageError

MANIFEST: Final = "manifest.json"
DATABASE: Final = "database.db"
STATE: Final = "state"
ELSEWHERE: Final = "elsewhere"
FORMAT: Final = "homarus-backup"
VERSION: Final = 1
MAX_MANIFEST: Final = 256 * 1024 * 1024
"""Bytes; a line per file, so this is room for about a million files."""

DatabaseKind = Literal["sqlite", "postgresql", "none"]


class FileRecord(Struct, frozen=True):
    """One member: `mode` are its permission bits, `size` is in bytes."""

    sha256: str
    size: int
    mode: int


class Elsewhere(Struct, frozen=True):
    """Something that does not live in the state folder. `name` is its member (a file) or the folder of its members."""

    name: str
    what: str
    path: str


class DatabaseRecord(Struct, frozen=True):
    """Which database there was. `path` is set for a SQLite file outside the state folder."""

    kind: DatabaseKind
    revision: str | None = None
    path: str | None = None


class Manifest(Struct, frozen=True):
    """`created_at` in milliseconds; `links` are symbolic links by member name; `left_out` what could not be kept."""

    created_at: int
    homarus: str
    root: str
    database: DatabaseRecord
    files: dict[str, FileRecord] = field(default_factory=dict[str, FileRecord])
    links: dict[str, str] = field(default_factory=dict[str, str])
    elsewhere: tuple[Elsewhere, ...] = ()
    left_out: tuple[str, ...] = ()

    def as_json(self) -> str:
        """Return the stored form."""
        return json.dumps({"format": FORMAT, "version": VERSION, **to_builtins(self)}, indent=1, ensure_ascii=False)


def read_manifest(data: bytes) -> Manifest:
    """Read the stored form. Raises StorageError for anything that is not a manifest this version understands."""
    try:
        value = _fields(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise _unusable(f"its manifest is no JSON: {error}") from error
    if value.get("format") != FORMAT:
        raise _unusable("its manifest is of something else")
    if value.get("version") != VERSION:
        raise StorageError(
            f"the backup has format {value.get('version')!r}, this version of Homarus reads {VERSION}",
            fix="restore it with the Homarus that made it",
        )
    try:
        return _manifest(value)
    except (TypeError, KeyError, ValueError) as error:
        raise _unusable(f"its manifest is incomplete: {error}") from error


def is_safe(name: str) -> bool:
    """Tell whether a member name stays inside the folder it is unpacked to."""
    path = PurePosixPath(name)
    has_odd_parts = any(part in {"", ".", ".."} for part in name.split("/"))
    return bool(name) and not path.is_absolute() and not has_odd_parts and "\0" not in name and "\\" not in name


def is_safe_link(name: str, target: str) -> bool:
    """Tell whether a link stays below the first folder of its own name, however often its target says `..`."""
    depth = len(PurePosixPath(name).parts) - 2
    if PurePosixPath(target).is_absolute() or "\0" in target:
        return False
    for part in PurePosixPath(target).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return False
    return bool(target)


def _manifest(value: dict[str, object]) -> Manifest:
    database = _fields(value["database"])
    kind = str(database["kind"])
    if kind not in {"sqlite", "postgresql", "none"}:
        raise ValueError(f"unknown kind of database {kind!r}")
    return Manifest(
        created_at=_number(value["created_at"]),
        homarus=str(value["homarus"]),
        root=str(value["root"]),
        database=DatabaseRecord(
            cast("DatabaseKind", kind), _text_or_none(database["revision"]), _text_or_none(database["path"])
        ),
        files={name: _record(item) for name, item in _fields(value["files"]).items()},
        links={name: str(target) for name, target in _fields(value["links"]).items()},
        elsewhere=tuple(_elsewhere(item) for item in _items(value["elsewhere"])),
        left_out=tuple(str(item) for item in _items(value["left_out"])),
    )


def _record(item: object) -> FileRecord:
    fields = _fields(item)
    return FileRecord(str(fields["sha256"]), _number(fields["size"]), _number(fields["mode"]) & 0o777)


def _elsewhere(item: object) -> Elsewhere:
    fields = _fields(item)
    return Elsewhere(str(fields["name"]), str(fields["what"]), str(fields["path"]))


def _fields(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError("an object is missing")  # noqa: TRY004 - one kind of error for everything that is malformed
    return cast("dict[str, object]", value)


def _items(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("a list is missing")  # noqa: TRY004 - one kind of error for everything that is malformed
    return cast("list[object]", value)


def _number(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no number")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _unusable(problem: str) -> StorageError:
    return StorageError(f"this is not a usable backup: {problem}", fix="use another backup")
