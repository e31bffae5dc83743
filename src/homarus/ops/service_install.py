"""Installing Homarus as a service of this user: systemd on Linux, launchd on macOS."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from homarus.config import environment
from homarus.config.load import LoadedConfig
from homarus.config.paths import StateDir
from homarus.config.write import write_text_atomically
from homarus.errors import ConfigError, UserError
from homarus.ops.service_unit import LABEL, UNIT_NAME, Service, launchd_plist, systemd_unit

Manager = Literal["systemd", "launchd"]

SECONDS: Final = 60.0
"""Longest time the service manager may take to answer."""


class Definition(Struct, frozen=True):
    """A service definition: its text, where it belongs and the commands that put it into force."""

    manager: Manager
    text: str
    path: Path
    commands: tuple[tuple[str, ...], ...]


class Standing(Struct, frozen=True):
    """How the service stands. `state` is the manager's own word, such as active or failed."""

    is_installed: bool
    state: str
    path: Path


def define(state: StateDir, loaded: LoadedConfig | None, manager: Manager | None = None) -> Definition:
    """Return the definition for this system, installed or not."""
    chosen = manager or ("launchd" if sys.platform == "darwin" else "systemd")
    service = describe(state, loaded)
    home = environment.home_folder(state.env)
    if chosen == "launchd":
        path = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        text = launchd_plist(service, state.logs / "service.log")
        return Definition(chosen, text, path, (("launchctl", "bootstrap", f"gui/{os.getuid()}", str(path)),))
    config = state.env.get("XDG_CONFIG_HOME")
    path = (Path(config) if config else home / ".config") / "systemd" / "user" / UNIT_NAME
    commands = (
        ("systemctl", "--user", "daemon-reload"),
        ("systemctl", "--user", "enable", UNIT_NAME),
        ("systemctl", "--user", "restart", UNIT_NAME),
    )
    return Definition(chosen, systemd_unit(service), path, commands)


def describe(state: StateDir, loaded: LoadedConfig | None) -> Service:
    """Return what the service runs: this interpreter, this state folder, no secrets."""
    root = state.root.absolute()
    variables = {environment.HOME: str(root)}
    if not state.config_file.absolute().is_relative_to(root):
        variables[environment.CONFIG] = str(state.config_file.absolute())
    return Service(
        # -P: what lies in the working folder must not be imported.
        command=(sys.executable, "-P", "-m", "homarus", "gateway", "run"),
        home=root,
        environment=variables | _search_path(state),
        writable=tuple(dict.fromkeys((root, *_outside(state, loaded)))),
    )


def has_systemd() -> bool:
    """Tell whether a systemd of this user can be asked."""
    if shutil.which("systemctl") is None:
        return False
    # "degraded" and "starting" answer as well, with another exit status.
    done = _ask("systemctl", "--user", "is-system-running")
    return done is not None and done.stdout.strip() in {"running", "degraded", "starting", "initializing"}


def has_manager(definition: Definition) -> bool:
    """Tell whether the service manager of a definition can be used here."""
    return shutil.which("launchctl") is not None if definition.manager == "launchd" else has_systemd()


def install(definition: Definition) -> None:
    """Write the definition and start the service. Raises UserError with what the service manager said."""
    write_text_atomically(definition.path, definition.text)
    if definition.manager == "launchd":
        # A label that is loaded already would be refused.
        _ask("launchctl", "bootout", f"gui/{os.getuid()}/{LABEL}")
    for command in definition.commands:
        _run(*command)


def uninstall(definition: Definition) -> bool:
    """Stop the service and remove its definition; False when there is none. Raises UserError."""
    if not definition.path.exists():
        return False
    if definition.manager == "launchd":
        _ask("launchctl", "bootout", f"gui/{os.getuid()}/{LABEL}")
    elif has_systemd():
        _run("systemctl", "--user", "disable", "--now", UNIT_NAME)
    try:
        definition.path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{definition.path} cannot be removed: {error.strerror}", fix="remove it by hand") from error
    if definition.manager == "systemd" and has_systemd():
        _run("systemctl", "--user", "daemon-reload")
    return True


def look(definition: Definition) -> Standing:
    """Return how the service stands."""
    if not has_manager(definition):
        return Standing(definition.path.exists(), f"no {definition.manager} of this user answers", definition.path)
    if definition.manager == "launchd":
        done = _ask("launchctl", "print", f"gui/{os.getuid()}/{LABEL}")
        state = "running" if done is not None and "state = running" in done.stdout else "not running"
    else:
        done = _ask("systemctl", "--user", "is-active", UNIT_NAME)
        state = done.stdout.strip() if done is not None and done.stdout.strip() else "unknown"
    return Standing(definition.path.exists(), state, definition.path)


def _search_path(state: StateDir) -> dict[str, str]:
    """Return PATH, which services do not inherit and tools need."""
    found = state.env.get("PATH")
    return {"PATH": found} if found else {}


def _outside(state: StateDir, loaded: LoadedConfig | None) -> list[Path]:
    """Return folders outside the state folder that a gateway writes to: workspaces, and the configuration's own."""
    root = state.root.absolute()
    folders = [state.config_file.absolute().parent]
    if loaded is not None:
        agents = loaded.config.agents
        for agent in dict.fromkeys((agents.default_id, *(entry.id for entry in agents.list))):
            try:
                folders.append(state.workspace(agent, loaded.config).absolute())
            except ConfigError:
                continue  # the doctor reports it; a gateway does not start with it
    return [folder for folder in folders if not folder.is_relative_to(root)]


def _run(*command: str) -> None:
    done = _ask(*command)
    if done is None or done.returncode != 0:
        said = done.stderr.strip()[-500:] if done is not None else f"no answer within {SECONDS:.0f} s"
        raise UserError(f"`{' '.join(command)}` failed: {said}", fix="run it by hand and see what it says")


def _ask(*command: str) -> subprocess.CompletedProcess[str] | None:
    """Run a command of the service manager; None when it cannot be run or does not end."""
    try:
        # Fixed arguments, no shell.
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
