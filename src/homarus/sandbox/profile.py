"""The bubblewrap profile: which options a command is started with, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from homarus.errors import UserError
from homarus.sandbox.contract import Command
from homarus.sandbox.seccomp import build_program

UID = "65534"
TMP_BYTES = 67_108_864  # 64 MiB of RAM per command
SHM_BYTES = 16_777_216
MAX_OPTION_BYTES = 1_000_000
SYSTEM_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
HARMLESS_FILES = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime")
IDENTITY_FILES = {
    "/etc/passwd": b"sandbox:x:65534:65534::/work:/bin/sh\n",
    "/etc/group": b"sandbox:x:65534:\n",
    "/etc/hosts": b"127.0.0.1 localhost sandbox\n::1 localhost\n",
}
BASE_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/work", "LANG": "C.UTF-8", "TERM": "dumb"}

OpenData = Callable[[bytes], int]


def build_options(command: Command, open_data: OpenData, read_only: Iterable[Path] = ()) -> list[str]:
    """Return bwrap's options for `command`; `open_data` stores bytes and returns the fd bwrap reads them from.

    `read_only` are further host folders shown at their own path. Raises UserError for a cwd outside the workspace.
    """
    return [
        *_namespaces(),
        *_system_view(read_only),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", str(SHM_BYTES), "--tmpfs", "/dev/shm"),  # noqa: S108 - a path inside the sandbox
        # bwrap's root and /dev are writable tmpfs of unbounded size: without this they could eat the host's memory
        *("--remount-ro", "/dev"),
        *("--size", str(TMP_BYTES), "--tmpfs", "/tmp"),  # noqa: S108 - a path inside the sandbox
        *_identity(open_data),
        *("--bind", str(command.workspace), "/work"),
        *("--remount-ro", "/"),
        *("--chdir", str(_inner_cwd(command.cwd))),
        *_environment(command.env),
        *("--seccomp", str(open_data(build_program()))),
    ]


def encode_options(options: Iterable[str]) -> bytes:
    """Return options as `--args` reads them. Raises UserError when a value holds a NUL or all are over 1 MB."""
    values = list(options)
    if any("\0" in value for value in values):
        raise UserError("the command's environment or folder contains a NUL character; remove it")
    data = b"".join(os.fsencode(value) + b"\0" for value in values)
    if len(data) > MAX_OPTION_BYTES:
        raise UserError(f"the command's environment is {len(data)} bytes; at most {MAX_OPTION_BYTES} fit")
    return data


def _namespaces() -> tuple[str, ...]:
    # started by root without its own user namespace a command would keep every capability
    return (
        *("--unshare-user", "--disable-userns", "--uid", UID, "--gid", UID),
        *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox"),
    )


def _system_view(read_only: Iterable[Path]) -> list[str]:
    options = ["--ro-bind", "/usr", "/usr"]
    for name in SYSTEM_FOLDERS:
        folder = Path("/", name)
        if folder.is_symlink():
            options += ["--symlink", str(folder.readlink()), str(folder)]
        elif folder.is_dir():
            options += ["--ro-bind", str(folder), str(folder)]
    for path in (*HARMLESS_FILES, *map(str, read_only)):
        options += ["--ro-bind-try", path, path]
    return options


def _identity(open_data: OpenData) -> list[str]:
    options: list[str] = []
    for path, data in IDENTITY_FILES.items():
        options += ["--perms", "0644", "--ro-bind-data", str(open_data(data)), path]
    return options


def _environment(env: dict[str, str]) -> list[str]:
    options = ["--clearenv"]
    for name, value in (BASE_ENV | env).items():
        if not name or "=" in name:
            raise UserError(f"environment variable name {name!r} is not valid")
        options += ["--setenv", name, value]
    return options


def _inner_cwd(cwd: str) -> PurePosixPath:
    path = PurePosixPath(cwd)
    if path.is_absolute() or ".." in path.parts:
        raise UserError(f"cwd {cwd!r} is outside the workspace; give a folder inside it, such as '.'")
    return PurePosixPath("/work") / path
