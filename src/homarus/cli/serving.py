"""Running the gateway in this process: what is printed, and the note that lets other commands find it."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from msgspec import Struct
from msgspec.structs import asdict

from homarus.cli.running import Running, leave_note, take_note_back
from homarus.cli.screen import paint, say, warn
from homarus.config import environment
from homarus.config.paths import StateDir

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from homarus.gateway.app import Ready
    from homarus.gateway.wizard import Flow


HANDOVER: Final = "HOMARUS_HANDOVER"
"""Variable that carries what was typed to the gateway process; not an argument, which everyone on the machine sees."""


class Start(Struct, frozen=True):
    """What was typed; None leaves it to the environment and the configuration.

    `is_for_people` prints the login link, else one line `ready URL` for supervisors and scripts.
    """

    home: Path | None = None
    config: Path | None = None
    port: int | None = None
    bind: str | None = None
    token: str | None = None
    is_for_people: bool = False


def serve(start: Start) -> NoReturn:
    """Become the gateway process. What parsed the command line would otherwise stay resident as long as it runs."""
    given = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(start).items()}
    sys.stdout.flush()
    environment_of_gateway = {**os.environ, HANDOVER: json.dumps(given)}
    os.execve(sys.executable, [sys.executable, "-m", "homarus.cli.serving"], environment_of_gateway)  # noqa: S606


def take_over() -> None:
    """Run the gateway that `serve` handed over until it is stopped; raises what `run_here` does."""
    run_here(_handed_over())


def run_here(start: Start) -> None:
    """Run the gateway in this process until it is stopped.

    Raises ConfigError, UserError or StorageError when it cannot start.
    """
    gc.disable()  # until `_settle`: almost nothing that is made while starting is ever thrown away
    from homarus.gateway.app import GatewayOptions, run_gateway

    root = _state_root(start.home)
    options = GatewayOptions(
        home=start.home,
        config=start.config,
        port=start.port,
        bind=start.bind,
        token=start.token,
        on_ready=partial(_announce, root, start),
        set_up=_questions,
    )
    try:
        _run(run_gateway(options))
    finally:
        take_note_back(root)
    if start.is_for_people:
        say("Stopped.")


def _questions(state: StateDir, workspace: str | None) -> Flow:
    from homarus.ops.wizard import flow_of

    return flow_of(state, workspace)


def _handed_over() -> Start:
    given = json.loads(os.environ.pop(HANDOVER))
    for name in ("home", "config"):
        given[name] = Path(given[name]) if given[name] is not None else None
    return Start(**given)


def _run(main: Coroutine[None, None, None]) -> None:
    """Run on uvloop where there is one."""
    if sys.platform == "win32":
        asyncio.run(main)
        return
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


def _state_root(home: Path | None) -> Path:
    env = dict(environment.process_environment())
    if home is not None:
        env[environment.HOME] = str(home)
    return StateDir.resolve(env).root


def _announce(root: Path, start: Start, ready: Ready) -> None:
    leave_note(root, Running(ready.url, os.getpid(), ready.tls_fingerprint))
    _print(root, start, ready)
    _settle()


def _settle() -> None:
    """Leave what was made while starting to itself, so that collecting garbage looks at what came later only."""
    gc.collect()
    gc.freeze()
    gc.enable()


def _print(root: Path, start: Start, ready: Ready) -> None:
    for warning in ready.warnings:
        warn(warning)
    if not start.is_for_people:
        if ready.tls_fingerprint:
            say(f"certificate sha256:{ready.tls_fingerprint}")
        say(f"ready {ready.url}")
        return
    command = _command()
    say()
    say(f"Homarus is ready. State: {root}")
    say()
    if ready.login_url:
        say(f"Open this in your browser. It works once, for ten minutes; `{command} link` makes another:")
        say()
        say(f"  {paint(ready.login_url, 'bold')}")
        say()
    if ready.tls_fingerprint:
        say(f"Certificate for clients to pin: sha256:{ready.tls_fingerprint}")
    say(f'Or write from another terminal:  {command} agent --message "what can you do"')
    say(paint("Ctrl-C stops it.", "dim"))


def _command() -> str:
    """Return what to type for this command: its name, or its path where the name alone would not be found."""
    here = Path(sys.argv[0])
    if here.name != "homarus" or shutil.which("homarus") is not None:
        return "homarus"
    return str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else str(here)


if __name__ == "__main__":
    from homarus.cli.main import guarded

    sys.exit(guarded(take_over))
