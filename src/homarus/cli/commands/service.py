"""`homarus service`: start with the machine, come back after a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from homarus.cli.options import AsJson, group
from homarus.cli.screen import facts, say, show_json, warn
from homarus.config import environment
from homarus.config.paths import StateDir
from homarus.errors import ConfigError, UserError

if TYPE_CHECKING:
    from homarus.ops.service_install import Definition

app = group("Run Homarus as a service of this user.")


@app.command()
def install(
    only_print: Annotated[bool, typer.Option("--print", help="Print the definition; change nothing.")] = False,
) -> None:
    """Write the service definition (systemd or launchd), start it now and with this machine."""
    from homarus.config.load import load
    from homarus.ops.service_install import define, has_manager
    from homarus.ops.service_install import install as install_service

    state = StateDir.resolve(environment.process_environment())
    definition = define(state, load(state.config_file, state.env))
    if only_print:
        typer.echo(definition.text, nl=False)
        return
    if not has_manager(definition):
        typer.echo(definition.text, nl=False)
        commands = " && ".join(" ".join(command) for command in definition.commands)
        raise UserError(
            f"no {definition.manager} of this user answers here; nothing was installed",
            fix=f"put the text above into {definition.path} where there is one, then: {commands}",
        )
    state.create()
    install_service(definition)
    say(f"Installed and started: {definition.path}")
    if definition.manager == "systemd":
        say("It runs while you are logged in. To have it run from the start of the machine: loginctl enable-linger")
    say("next: homarus status")


@app.command()
def uninstall() -> None:
    """Stop the service and remove its definition; the state folder stays."""
    from homarus.ops.service_install import uninstall as uninstall_service

    definition = _definition()
    if uninstall_service(definition):
        say(f"Stopped and removed: {definition.path}")
    else:
        warn(f"there is no {definition.path}; nothing to do")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show whether the service is installed and runs."""
    from homarus.ops.service_install import look
    from homarus.storage.lock import find_holder

    found = look(_definition())
    holder = find_holder(StateDir.resolve(environment.process_environment()).root)
    if as_json:
        running = None if holder is None else {"pid": holder.pid, "port": holder.port}
        show_json({"installed": found.is_installed, "state": found.state, "file": str(found.path), "gateway": running})
        return
    facts(
        [
            ("Service", f"{found.path}" if found.is_installed else "not installed"),
            ("State", found.state),
            ("Gateway", "not running" if holder is None else f"runs ({holder})"),
        ]
    )


def _definition() -> Definition:
    from homarus.config.load import load
    from homarus.ops.service_install import define

    state = StateDir.resolve(environment.process_environment())
    try:
        loaded = load(state.config_file, state.env)
    except ConfigError:
        loaded = None
    return define(state, loaded)
