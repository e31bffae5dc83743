"""`homarus config`: the configuration file."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from homarus.cli.options import AsJson, group
from homarus.cli.screen import say, show_json, warn
from homarus.config import environment
from homarus.config.issues import ConfigErrors
from homarus.config.load import LoadedConfig, load
from homarus.config.paths import StateDir
from homarus.errors import ConfigError

app = group("Read, change and check the configuration.")

Key = Annotated[str, typer.Argument(metavar="KEY", help="A dotted key, such as gateway.port or agents.list[0].id.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Print secrets instead of hiding them.")]


@app.command()
def get(
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="A dotted key; without one, everything.")] = None,
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Print what the file says; secrets are hidden."""
    from homarus.config.redact import redact
    from homarus.config.write import get_value

    written = _load().written
    shown = written if reveal else redact(written)
    value = get_value(shown, key) if key else shown
    if isinstance(value, str) and not as_json:
        say(value)
    else:
        show_json(value)


@app.command("set")
def set_key(
    key: Key,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="JSON5, or plain text where that is no JSON5.")],
    strict: Annotated[bool, typer.Option("--strict-json", help="Refuse a value that is no JSON5.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set a key; the file stays as it is when the result would be invalid."""
    from homarus.config.write import set_value

    state = _state()
    with _refusing_changes():
        written = set_value(state.config_file, key, _parse(value, is_strict=strict), state.env)
    _report(state.config_file, f"Set {key}", comments_lost=written.comments_lost, as_json=as_json)
    _tell_gateway(state, key, as_json=as_json)


@app.command("unset")
def unset_key(key: Key, as_json: AsJson = False) -> None:
    """Remove a key, so that its default counts."""
    from homarus.config.write import unset

    state = _state()
    with _refusing_changes():
        written = unset(state.config_file, key, state.env)
    _report(state.config_file, f"Removed {key}", comments_lost=written.comments_lost, as_json=as_json)
    _tell_gateway(state, key, as_json=as_json)


@app.command()
def validate(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Another file than the configured one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check the file and print everything that is wrong with it; exit code 5 when something is."""
    state = _state()
    path = state.config_file if file is None else file
    try:
        from homarus.gateway.channel_sections import section_issues

        loaded = load(path, state.env, section_issues)
    except ConfigErrors as error:
        if not as_json:
            raise
        issues = [{"path": each.path, "message": each.message, "fix": each.fix} for each in error.issues]
        show_json({"valid": False, "file": str(path), "issues": issues, "warnings": []})
        raise typer.Exit(5) from None
    if as_json:
        show_json({"valid": True, "file": str(path), "issues": [], "warnings": list(loaded.warnings)})
        return
    for warning in loaded.warnings:
        warn(warning)
    say(f"{path} is valid." if loaded.exists else f"{path} does not exist; the defaults count.")


@app.command()
def file(as_json: AsJson = False) -> None:
    """Print where the configuration file is."""
    path = _state().config_file
    if as_json:
        show_json({"file": str(path), "exists": path.exists()})
    else:
        say(str(path))


@contextmanager
def _refusing_changes() -> Generator[None]:
    """Say of a refused change that the file is as it was."""
    try:
        yield
    except ConfigErrors as error:
        problems = "; ".join(map(str, error.issues))
        fix = "nothing was changed; docs/reference/config.md lists every key"
        raise ConfigError(problems, path=error.path, fix=fix) from None


def _state() -> StateDir:
    return StateDir.resolve(environment.process_environment())


def _load() -> LoadedConfig:
    state = _state()
    return load(state.config_file, state.env)


def _parse(value: str, *, is_strict: bool) -> object:
    from homarus.config.json5_text import parse

    try:
        parsed, _ = parse(value, file="the value")
    except ConfigError:
        if is_strict or value.lstrip()[:1] in ("{", "["):
            raise
        return value
    return parsed


def _tell_gateway(state: StateDir, key: str, *, as_json: bool) -> None:
    from homarus.cli.telling import tell_gateway

    note = tell_gateway(state, [key])
    if note is not None and not as_json:
        say(note)


def _report(path: Path, what: str, *, comments_lost: bool, as_json: bool) -> None:
    if as_json:
        show_json({"file": str(path), "done": what, "commentsLost": comments_lost})
        return
    say(f"{what} in {path}.")
    if comments_lost:
        warn(f"the comments of {path.name} are gone; the text before this change is in {path.name}.bak")
