"""Plans: exactly what a command will run, so that what is approved is what runs."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
from pathlib import Path
from typing import Final, cast

from msgspec import Struct

from homarus.nodes.host.failure import bad_request, denied

SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash", "fish", "csh", "tcsh", "busybox", "toybox"})
CARRIERS: Final = frozenset(
    {
        "env",
        "nice",
        "nohup",
        "stdbuf",
        "timeout",
        "setsid",
        "sudo",
        "doas",
        "xargs",
        "find",
        "awk",
        "gawk",
        "ssh",
        "su",
        "chroot",
        "unshare",
        "strace",
        "gdb",
        "parallel",
        "watch",
        "time",
        "command",
        "exec",
        "script",
        "expect",
    }
)
"""Programs that run another one named by their arguments."""
_INTERPRETERS: Final = ("python", "node", "ruby", "perl", "php", "lua", "deno", "bun", "tclsh", "Rscript")
MAX_WORDS: Final = 1024
MAX_LENGTH: Final = 128 * 1024
"""Words of a command, and characters of all of them."""
MAX_SCRIPT: Final = 16 * 1024 * 1024
"""Bytes of a script that is hashed; a larger one cannot be bound to an approval."""


class CommandLine(Struct, frozen=True):
    """A command with its program found. `program` is an absolute path; `cwd` an absolute folder or None."""

    argv: tuple[str, ...]
    program: str
    cwd: str | None

    @property
    def text(self) -> str:
        """Return the command as a person would type it."""
        return shlex.join(self.argv)

    @property
    def name(self) -> str:
        """Return the program's name."""
        return Path(self.program).name

    @property
    def is_shell(self) -> bool:
        """Tell whether the program is a shell."""
        return self.name in SHELLS or Path(os.path.realpath(self.program)).name in SHELLS

    @property
    def carries_another(self) -> bool:
        """Tell whether the program runs what its arguments say, so that its own name says little."""
        real = Path(os.path.realpath(self.program)).name
        return self.is_shell or self.name in CARRIERS or real in CARRIERS


def read_command(params: dict[str, object], path: str) -> CommandLine:
    """Return the command of `system.run` and `system.run.prepare`. Raises CommandFailed."""
    words = params.get("command")
    if not isinstance(words, list) or not words:
        raise bad_request("command required")
    given = [word for word in cast("list[object]", words) if isinstance(word, str) and "\x00" not in word]
    if len(given) != len(cast("list[object]", words)) or not given[0].strip():
        raise bad_request("command must be a list of strings without NUL, the first one a program")
    if len(given) > MAX_WORDS or sum(map(len, given)) > MAX_LENGTH:
        raise bad_request(f"command is longer than {MAX_WORDS} words or {MAX_LENGTH} characters")
    cwd = _folder(params.get("cwd"))
    program = _find(given[0], cwd, path)
    line = CommandLine((program, *given[1:]), program, cwd)
    _check_raw(params.get("rawCommand"), given, line)
    return line


def make_plan(line: CommandLine, params: dict[str, object]) -> dict[str, object]:
    """Return the plan of a command (reference 02, SystemRunPlan)."""
    plan: dict[str, object] = {"argv": list(line.argv), "cwd": line.cwd, "commandText": line.text}
    if line.is_shell and len(line.argv) > 2:
        plan["commandPreview"] = line.argv[-1][:2000]
    plan |= {name: _text(params.get(name)) for name in ("agentId", "sessionKey")}
    operand = _script(line)
    if operand is not None:
        index, script = operand
        plan["mutableFileOperand"] = {"argvIndex": index, "path": str(script), "sha256": hash_file(script)}
    return plan


def check_plan(plan: dict[str, object], line: CommandLine) -> None:
    """Check that an approved plan is this command and that nothing changed since. Raises CommandFailed."""
    if plan.get("argv") != list(line.argv) or plan.get("commandText") not in {line.text, None}:
        raise denied("SYSTEM_RUN_DENIED: execution plan mismatch", "execution-plan-miss")
    if plan.get("cwd") != line.cwd:
        raise denied("SYSTEM_RUN_DENIED: approval cwd changed before execution", "approval-required")
    bound, found = plan.get("mutableFileOperand"), _script(line)
    if found is None and bound is None:
        return
    if found is None or not isinstance(bound, dict):
        raise denied("SYSTEM_RUN_DENIED: approval missing script operand binding", "approval-required")
    operand = cast("dict[str, object]", bound)
    index, script = found
    if operand.get("argvIndex") != index or operand.get("sha256") != hash_file(script):
        raise denied("SYSTEM_RUN_DENIED: approval script operand changed before execution", "approval-required")


def hash_file(path: Path) -> str:
    """Return the SHA-256 (hex) of a script. Raises CommandFailed when it cannot be read or is too large."""
    try:
        if path.stat().st_size > MAX_SCRIPT:
            raise denied(f"SYSTEM_RUN_DENIED: {path.name} is too large to approve", "approval-required")
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise denied(f"SYSTEM_RUN_DENIED: cannot read {path.name}: {error.strerror}", "approval-required") from error


def find_program(name: str, path: str) -> str | None:
    """Return the absolute path of a program by its bare name, None when there is none."""
    if not name or "/" in name or "\\" in name or "\x00" in name:
        return None
    return shutil.which(name, path=path)


def _find(name: str, cwd: str | None, path: str) -> str:
    if "/" in name:
        full = Path(name) if name.startswith("/") else Path(cwd or Path.cwd()) / name
        if full.is_file() and os.access(full, os.X_OK):
            return str(full)
        raise denied(f"SYSTEM_RUN_DENIED: no program {name[:200]}", "not-found")
    found = find_program(name, path)
    if found is None:
        raise denied(f"SYSTEM_RUN_DENIED: no program {name[:200]} on the PATH of this node", "not-found")
    return found


def _folder(given: object) -> str | None:
    if given is None or given == "":
        return None
    if not isinstance(given, str) or "\x00" in given:
        raise bad_request("cwd must be a folder")
    real = os.path.realpath(given)
    if not Path(real).is_dir():
        raise bad_request(f"cwd {given[:200]!r} is no folder on this node")
    return real


def _script(line: CommandLine) -> tuple[int, Path] | None:
    """Return the script a command runs, which could change between approval and run."""
    is_interpreter = line.is_shell or line.name.startswith(_INTERPRETERS)
    if not is_interpreter:
        return (0, Path(line.program)) if _has_shebang(Path(line.program)) else None
    for index, word in enumerate(line.argv[1:], start=1):
        if word in ("-c", "-e", "-m", "--eval"):
            return None
        if not word.startswith("-"):
            script = Path(line.cwd or Path.cwd()) / word
            return (index, script) if script.is_file() else None
    return None


def _has_shebang(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def _check_raw(raw: object, given: list[str], line: CommandLine) -> None:
    if raw is None:
        return
    same = {line.text, shlex.join(given), " ".join(given), given[-1] if line.is_shell else line.text}
    if raw not in same:
        raise bad_request("rawCommand does not match command")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
