"""Who else on this machine can read or change the installation's files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from homarus.ops.audit.finding import AuditFinding, Chmod, Severity

if TYPE_CHECKING:
    from homarus.config.load import LoadedConfig
    from homarus.config.paths import StateDir

SYNCED: Final = ("Dropbox", "OneDrive", "Google Drive", "GoogleDrive", "iCloud Drive", "Mobile Documents", "Nextcloud")
"""Folders whose contents are copied to other machines."""
MAX_FILES: Final = 10_000
"""Files looked at; an installation has a few dozen outside its workspaces."""
PRIVATE_FOLDERS: Final = ("identity", "credentials", "gateway", "node", "logs", "backups")


def audit_files(state: StateDir, loaded: LoadedConfig) -> Iterator[AuditFinding]:
    """Yield files and folders that others can read or change."""
    if os.name != "posix" or not state.root.exists():
        return
    yield from _folder(state.root, "fs.state_dir", "the state folder")
    if any(part in SYNCED for part in state.root.resolve().parts):
        detail = "the state folder is copied to other machines, with keys and conversations"
        yield AuditFinding("fs.synced_dir", "warn", str(state.root), detail, "move it, and set HOMARUS_HOME")
    for file in loaded.files:
        yield from _file(file, "fs.config" if file == loaded.path else "fs.config_include", grave=True)
    yield from _file(state.dotenv, "fs.dotenv", grave=True)
    for database in sorted(state.root.glob("*.db*")):
        yield from _file(database, "fs.sessions_store", grave=True)
    for name in PRIVATE_FOLDERS:
        yield from _private(state.root / name, _id_of(name))


def _id_of(folder: str) -> str:
    return {"logs": "fs.log_file", "backups": "fs.backups"}.get(folder, "fs.credentials_dir")


def _folder(path: Path, name: str, what: str) -> Iterator[AuditFinding]:
    if path.is_symlink():
        detail = f"{what} is a link: whoever can change the link changes the installation"
        yield AuditFinding(f"{name}.symlink", "warn", str(path), detail, "set HOMARUS_HOME to the folder itself")
        path = path.resolve()
    mode = path.stat().st_mode
    repair = Chmod(path, 0o700)
    if mode & stat.S_IWOTH:
        detail = f"every user of this machine can put files into {what}"
        yield AuditFinding(f"{name}.perms_world_writable", "critical", str(path), detail, str(repair), repair)
    elif mode & stat.S_IWGRP:
        detail = f"the group can put files into {what}"
        yield AuditFinding(f"{name}.perms_group_writable", "warn", str(path), detail, str(repair), repair)
    elif mode & 0o077:
        detail = f"other users can look into {what}"
        yield AuditFinding(f"{name}.perms_readable", "warn", str(path), detail, str(repair), repair)


def _file(path: Path, name: str, *, grave: bool) -> Iterator[AuditFinding]:
    try:
        facts = path.lstat()
        if stat.S_ISLNK(facts.st_mode):
            detail = "this is a link: whoever can change the link changes the file"
            yield AuditFinding(f"{name}.symlink", "warn", str(path), detail, "put the file itself there")
            facts = path.stat()
    except OSError:
        return
    repair = Chmod(path.resolve(), 0o600)
    is_shut = not path.resolve().parent.stat().st_mode & 0o077
    severity: Severity = "critical" if grave and not is_shut else "warn"
    if facts.st_mode & 0o022:
        detail = "other users can change this file"
        yield AuditFinding(f"{name}.perms_writable", "critical", str(path), detail, str(repair), repair)
    elif facts.st_mode & stat.S_IROTH:
        who = "only its folder keeps other users from reading" if is_shut else "every user of this machine can read"
        detail = f"{who} this file"
        yield AuditFinding(f"{name}.perms_world_readable", severity, str(path), detail, str(repair), repair)
    elif facts.st_mode & stat.S_IRGRP:
        detail = "the group can read this file"
        yield AuditFinding(f"{name}.perms_group_readable", "warn", str(path), detail, str(repair), repair)


def _private(folder: Path, name: str) -> Iterator[AuditFinding]:
    """Yield what is wrong in a folder that only its owner should see into."""
    if not folder.is_dir():
        return
    yield from _folder(folder, name, f"the folder {folder.name}")
    for number, path in enumerate(sorted(folder.rglob("*"))):
        if number >= MAX_FILES:
            return
        if path.is_file() or path.is_symlink():
            yield from _file(path, name, grave=name == "fs.credentials_dir")
