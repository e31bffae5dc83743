"""The reference page of the command line, written from the commands themselves.

Usage: python -m homarus.cli.reference [FILE]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args, get_origin

from typer.main import get_command

from homarus.cli.exits import MEANINGS
from homarus.cli.main import help_text
from homarus.cli.tree import COMMANDS

_METAVARS: Final = {int: "NUMBER", float: "NUMBER", Path: "PATH"}
Command = Any
"""A click command; Typer carries its own copy of click, whose types are private."""

_HEAD = """# Commands

Written by `make docs` from the commands themselves. Options before the command choose the installation; the variable
behind each does the same.

```
{help}
```

`HOMARUS_GATEWAY_PASSWORD` is the password of a gateway that asks for one, `NO_COLOR` turns colours off, and
`HOMARUS_DEBUG=1` prints a traceback instead of an error line.

## Exit codes

| code | meaning |
|---|---|
{codes}
"""


def page() -> str:
    """Return the whole page."""
    codes = "\n".join(f"| {code.value} | {meaning} |" for code, meaning in MEANINGS.items())
    sections = [section for entry in COMMANDS for section in _sections(entry.module, f"homarus {entry.name}")]
    return _HEAD.format(help=help_text(), codes=codes) + "\n" + "\n".join(sections)


def command_paths() -> list[str]:
    """Return every command as it is typed, groups included."""
    return [path for entry in COMMANDS for path, _ in _walk(_root(entry.module), f"homarus {entry.name}")]


def _sections(module: str, name: str) -> Iterator[str]:
    for path, command in _walk(_root(module), name):
        level = "##" if path == name else "###"
        lines = [f"{level} {path}", "", str(command.help or "").strip(), ""]
        if not hasattr(command, "commands"):
            lines += [f"`{_usage(path, command)}`", "", *_parameters(command)]
        yield "\n".join(lines)


def _root(module: str) -> Command:
    return cast("Command", get_command(import_module(module).app))


def _walk(command: Command, path: str) -> Iterator[tuple[str, Command]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from _walk(below, f"{path} {name}")


def _usage(path: str, command: Command) -> str:
    arguments = [_argument(each) for each in command.params if each.param_type_name == "argument"]
    needed = [f"{each.opts[0]} {_metavar(each)}" for each in command.params if _is_needed_option(each)]
    return " ".join([path, *arguments, *needed, "[options]"])


def _is_needed_option(parameter: Command) -> bool:
    return parameter.param_type_name == "option" and bool(parameter.required)


def _argument(parameter: Command) -> str:
    name = str(parameter.metavar or parameter.name).upper()
    return name if parameter.required else f"[{name}]"


def _parameters(command: Command) -> list[str]:
    rows = [_row(each) for each in command.params]
    return ["| | |", "|---|---|", *rows, ""] if rows else []


def _row(parameter: Command) -> str:
    is_option = parameter.param_type_name == "option"
    names = ", ".join([*parameter.opts, *parameter.secondary_opts]) if is_option else _argument(parameter)
    metavar = "" if not is_option or parameter.is_flag else f" {_metavar(parameter)}"
    shown = [] if _is_without_default(parameter) else [f"default: {parameter.default}"]
    shown += ["required"] if _is_needed_option(parameter) else []
    note = f" ({', '.join(shown)})" if shown else ""
    left = f"{names}{metavar}".replace("|", "\\|")
    return f"| `{left}` | {parameter.help or ''}{note} |"


def _is_without_default(parameter: Command) -> bool:
    default = parameter.default
    return parameter.required or default is None or isinstance(default, bool) or default == "" or callable(default)


def _metavar(parameter: Command) -> str:
    if parameter.metavar:
        return str(parameter.metavar)
    annotation: object = parameter.type_descriptor.annotation
    if get_origin(annotation) is Literal:
        return "|".join(map(str, get_args(annotation)))
    kinds = [annotation, *get_args(annotation)]
    return next((name for kind, name in _METAVARS.items() if kind in kinds), "TEXT")


def main() -> None:
    """Write the page to the file named on the command line, or print it."""
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())


if __name__ == "__main__":
    main()
