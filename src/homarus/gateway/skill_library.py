"""The library of skills: folders on this machine that skills are searched in and copied from into workspaces.

They lie in `skills` of the state folder and in `skills.load.extraDirs`. There is no registry beyond them.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from homarus.agent.skills.front_matter import as_fields, as_names
from homarus.agent.skills.shelf import SkillShelf
from homarus.agent.skills.skill import FILE, Skill
from homarus.errors import UserError

MAX_FILES: Final = 200
MAX_BYTES: Final = 5 * 1024 * 1024
"""Files, and bytes of all of them, that one skill may bring."""
MAX_DEPTH: Final = 8
_WORD = re.compile(r"\w+")


class Volume(Struct, frozen=True):
    """A skill of the library. `slug` is the name of its folder; times in milliseconds."""

    slug: str
    skill: Skill
    path: Path
    updated_at: int


class SkillLibrary:
    """Searches and copies. All methods block on the file system."""

    def __init__(self, own: Path) -> None:
        self._own = own
        self._shelf = SkillShelf()

    def volumes(self, section: Mapping[str, object]) -> tuple[Volume, ...]:
        """Return every skill there is, by slug; of two with one slug that of the state folder counts."""
        found: dict[str, Volume] = {}
        for root in (*_extra(section), self._own):
            for skill in self._shelf.folder(root):
                path = root / skill.folder.rpartition("/")[2]
                slug = path.name.lower()
                found[slug] = Volume(slug, skill, path, (path / FILE).stat().st_mtime_ns // 1_000_000)
        return tuple(found[slug] for slug in sorted(found))

    def search(self, section: Mapping[str, object], query: str) -> list[tuple[float, Volume]]:
        """Return skills whose words match, the best first; every skill for an empty query."""
        words = {word.lower() for word in _WORD.findall(query)}
        rated = [(_score(volume, words), volume) for volume in self.volumes(section)]
        return sorted(((score, each) for score, each in rated if score > 0), key=lambda pair: (-pair[0], pair[1].slug))

    def install(self, section: Mapping[str, object], slug: str, workspace: Path, *, is_forced: bool) -> Path:
        """Copy a skill into a workspace and return its folder there. Raises UserError, leaving nothing behind."""
        volume = next((each for each in self.volumes(section) if each.slug == slug.strip().lower()), None)
        if volume is None:
            raise UserError(
                f"there is no skill {slug[:64]!r} in the library", fix=f"put its folder into {self._own}, and try again"
            )
        target = workspace / "skills" / volume.slug
        if os.path.lexists(target) and not is_forced:
            raise UserError(f"the workspace has a skill {volume.slug!r} already", fix="use force to replace it")
        files = tuple(_files(volume.path))
        if not target.parent.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
        if target.parent.is_symlink() or target.is_symlink():
            raise UserError("the skills folder of the workspace is a link; nothing was installed")
        _copy(volume.path, files, target)
        return target


def _copy(source: Path, files: tuple[str, ...], target: Path) -> None:
    """Copy into a folder beside the target first, so that a half-copied skill is never seen."""
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        for name in files:
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, fresh / name, follow_symlinks=False)
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise UserError(f"the skill was not copied: {error.strerror or error}") from error


def _files(folder: Path) -> Iterator[str]:
    """Yield the files of a skill, relative to it. Raises UserError for links, odd files, and for too much."""
    count = size = 0
    for place, folders, names in os.walk(folder):
        relative = os.path.relpath(place, folder)
        if relative.count(os.sep) >= MAX_DEPTH or any(Path(place, each).is_symlink() for each in folders):
            raise UserError("the skill has links to folders, or folders that lie too deep")
        for name in names:
            status = Path(place, name).lstat()
            count, size = count + 1, size + status.st_size
            if not stat.S_ISREG(status.st_mode) or count > MAX_FILES or size > MAX_BYTES:
                raise UserError(
                    f"the skill is no plain folder of at most {MAX_FILES} files and {MAX_BYTES // 2**20} MB"
                )
            yield str(Path(relative, name))


def _extra(section: Mapping[str, object]) -> Iterable[Path]:
    return [Path(name).expanduser() for name in as_names(as_fields(section.get("load")).get("extraDirs"))]


def _score(volume: Volume, words: set[str]) -> float:
    """Rate a skill: a word of its name counts three, one of its description one; a part of a word half of that."""
    if not words:
        return 1.0
    name = f"{volume.slug} {volume.skill.name}".lower()
    total = 0.0
    for text, weight in ((name, 3.0), (volume.skill.description.lower(), 1.0)):
        known = set(_WORD.findall(text))
        total += sum(weight if word in known else weight / 2 if word in text else 0.0 for word in words)
    return total / len(words)
