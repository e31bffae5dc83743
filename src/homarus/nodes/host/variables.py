"""Environment variables of commands: what this process has, less its secrets, plus what a caller may set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from homarus.nodes.host.failure import CommandFailed, denied

_OWN: Final = ("HOMARUS_", "OPENCLAW_")
"""Variables of ours, tokens among them, that no command sees."""
_BLOCKED_PREFIXES: Final = ("DYLD_", "LD_", "PYTHON", "PERL", "GIT_", "NPM_CONFIG_", "BASH_FUNC_")
_BLOCKED: Final = frozenset(
    {
        "PATH",
        "NODE_OPTIONS",
        "NODE_PATH",
        "RUBYOPT",
        "RUBYLIB",
        "SHELLOPTS",
        "BASHOPTS",
        "PS4",
        "BASH_ENV",
        "ENV",
        "IFS",
        "PROMPT_COMMAND",
        "ZDOTDIR",
        "GCONV_PATH",
        "JAVA_TOOL_OPTIONS",
        "CLASSPATH",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "LESSOPEN",
        "MANPAGER",
        "SSH_ASKPASS",
        "SUDO_ASKPASS",
        "HOSTALIASES",
    }
)
"""Variables that make a permitted program run another one (reference nodes §5)."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHELL_SAFE: Final = frozenset({"TERM", "LANG", "COLORTERM", "NO_COLOR", "FORCE_COLOR"})
DEFAULT_PATH: Final = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/opt/homebrew/bin"
MAX_OVERRIDES: Final = 256


def base_variables(process: Mapping[str, str]) -> dict[str, str]:
    """Return the variables every command starts with."""
    kept = {name: value for name, value in process.items() if not name.startswith(_OWN)}
    kept["PATH"] = clean_path(process.get("PATH"))
    return {name: value for name, value in kept.items() if not name.startswith(("DYLD_", "LD_", "BASH_FUNC_"))}


def clean_path(path: str | None) -> str:
    """Return a PATH of absolute folders only: a relative one would look in the caller's folder."""
    folders = [folder for folder in (path or "").split(":") if folder.startswith("/")]
    return ":".join(folders) or DEFAULT_PATH


def override(base: Mapping[str, str], given: Mapping[str, str], *, is_shell: bool) -> dict[str, str]:
    """Return `base` with a caller's variables; a shell gets harmless ones only.

    Raises CommandFailed naming variables that would change which program runs.
    """
    blocked = sorted(name for name in given if _is_blocked(name))
    invalid = sorted(name for name in given if not _NAME.fullmatch(name))
    if blocked or invalid or len(given) > MAX_OVERRIDES:
        raise _rejected(blocked, invalid)
    passed = {name: value for name, value in given.items() if not is_shell or _is_harmless(name)}
    return {**base, **passed}


def _is_blocked(name: str) -> bool:
    upper = name.upper()
    return upper in _BLOCKED or upper.startswith((*_BLOCKED_PREFIXES, *_OWN))


def _is_harmless(name: str) -> bool:
    return name in _SHELL_SAFE or name.startswith("LC_")


def _rejected(blocked: list[str], invalid: list[str]) -> CommandFailed:
    parts: list[str] = []
    if blocked:
        parts.append(f"blocked override keys: {', '.join(blocked[:8])}")
    if invalid:
        parts.append(f"invalid non-portable override keys: {', '.join(name[:64] for name in invalid[:8])}")
    what = "; ".join(parts) or f"more than {MAX_OVERRIDES} variables"
    return denied(f"SYSTEM_RUN_DENIED: environment override rejected ({what})", "env-override")
