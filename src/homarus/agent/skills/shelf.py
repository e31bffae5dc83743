"""Finds the skills of a workspace: real folders and files only, bounded in number and size, read again when changed."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import Final

from msgspec import Struct

from homarus.agent.skills.skill import FILE, Skill, read_skill
from homarus.errors import UserError

log = logging.getLogger("homarus.agent.skills")
ROOTS: Final = (".agents/skills", "skills")
"""Lowest rank first: of two skills with one name the later counts."""
MAX_FOLDERS: Final = 300
MAX_SKILLS: Final = 200
MAX_BYTES: Final = 256_000
"""Limits per root and file of the reference (runtime §13)."""
MAX_KEPT: Final = 1_000


class _Kept(Struct, frozen=True):
    stamp: tuple[int, int, int]
    skill: Skill | None


class SkillShelf:
    """The skills of workspaces. All methods block on the file system."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def skills(self, workspace: Path) -> tuple[Skill, ...]:
        """Return the skills of a workspace by name; broken ones are logged once and left out."""
        found: dict[str, Skill] = {}
        for root in ROOTS:
            for skill in self._of_root(workspace, root):
                found[skill.name.lower()] = skill
        return tuple(found[name] for name in sorted(found))

    def _of_root(self, workspace: Path, root: str) -> list[Skill]:
        folder = workspace
        for part in root.split("/"):
            folder /= part
            if folder.is_symlink():
                return []
        return self.folder(folder, root)

    def folder(self, folder: Path, root: str = "") -> list[Skill]:
        """Return the skills that lie in one folder; `root` is how their own folders are named."""
        skills: list[Skill] = []
        for name in _folders(folder):
            skill = self._read(folder / name / FILE, f"{root}/{name}")
            if skill is not None:
                skills.append(skill)
        return skills[:MAX_SKILLS]

    def _read(self, path: Path, folder: str) -> Skill | None:
        try:
            status = path.lstat()
        except OSError:
            return None
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        kept = self._kept.get(str(path))
        if kept is not None and kept.stamp == stamp:
            return kept.skill
        skill = _load(path, folder, status)
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[str(path)] = _Kept(stamp, skill)
        return skill


def _folders(root: Path) -> list[str]:
    try:
        with os.scandir(root) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return sorted(name for name in names if not name.startswith(".") and name.isprintable())[:MAX_FOLDERS]


def _load(path: Path, folder: str, status: os.stat_result) -> Skill | None:
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
        log.warning("the skill %s is left out: %s is no regular file of at most %d bytes", folder, FILE, MAX_BYTES)
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, encoding="utf-8", errors="replace") as file:
            return read_skill(file.read(MAX_BYTES), folder)
    except (OSError, UserError) as error:
        log.warning("the skill %s is left out: %s", folder, error)
        return None
