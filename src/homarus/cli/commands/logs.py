"""`homarus logs`."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from homarus.cli.options import AsJson, application
from homarus.cli.screen import clean, paint, say, warn
from homarus.config import environment
from homarus.config.load import load
from homarus.config.paths import StateDir
from homarus.errors import ConfigError
from homarus.ops.logs import LEVELS, LogLine, LogReader

app = application("Read the log, or follow it.")

_PAUSE = 0.3
"""Seconds between two looks at a followed file."""
_COLOURS = {"fatal": "red", "error": "red", "warn": "yellow", "debug": "dim"}

Level = Literal["debug", "info", "warn", "error", "fatal"]


@app.command()
def logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what is added, until Ctrl-C.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, max=100_000, help="Print the last lines.")] = 100,
    level: Annotated[Level, typer.Option("--level", help="Least severity.")] = "debug",
    component: Annotated[str, typer.Option("--component", help="Only this part, such as channels or gateway.ws.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print the last lines of the log file of this state folder; works without a running gateway."""
    reader = LogReader(_log_file(), LEVELS[level], component)
    if not reader.path.exists():
        warn(f"{reader.path} does not exist yet; it begins when the gateway starts")
    lines = reader.last(limit)
    for line in lines:
        _print(line, as_json=as_json)
    if reader.left_out and not lines:
        warn(f"no line of {component!r} here yet; there are lines of {', '.join(sorted(reader.left_out))}")
    while follow:
        time.sleep(_PAUSE)
        for line in reader.added():
            _print(line, as_json=as_json)


def _log_file() -> Path:
    state = StateDir.resolve(environment.process_environment())
    named = None
    if state.config_file.exists():
        try:
            named = load(state.config_file, state.env).config.logging.file
        except ConfigError as error:
            warn(f"the configuration is invalid ({error.path or error.message}); this is the log at its default place")
    return environment.expand(named, state.env) if named else state.logs / "homarus.log"


def _print(line: LogLine, *, as_json: bool) -> None:
    if as_json:
        say(line.raw)
        return
    if line.level is None:
        say(clean(line.raw))
        return
    level = line.level.ljust(5)
    colour = _COLOURS.get(line.level)
    today = f"{datetime.now().astimezone():%Y-%m-%d} "
    when = paint(line.clock.removeprefix(today), "dim")
    head = f"{when} {paint(level, colour) if colour else level} {paint(line.component, 'cyan')}"
    say(f"{head} {clean(line.message)}{''.join(f' {name}={clean(value)}' for name, value in line.fields)}")
