"""`homarus channels`: how they stand, connecting one, removing one."""

from __future__ import annotations

from typing import Annotated

import typer

from homarus.cli.commands.status import state_of
from homarus.cli.gateway import session
from homarus.cli.options import AsJson, group
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, number, rows, text
from homarus.cli.screen import ago, say, show_json, table, warn
from homarus.config import environment
from homarus.config.paths import StateDir
from homarus.errors import UserError

app = group("Connect chat channels, and see how they stand.")

_PROBE_SECONDS = 15


@app.command("status")
def show_status(
    probe: Annotated[bool, typer.Option("--probe", help="Make a round trip to each platform.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every account of every channel."""
    with session(find_gateway()) as gateway:
        params: Row = {"probe": True, "timeoutMs": _PROBE_SECONDS * 1000} if probe else {}
        found = as_row(gateway.call("channels.status", params, timeout=2 * _PROBE_SECONDS))
    if as_json:
        show_json(found)
        return
    accounts = as_row(found.get("channelAccounts"))
    now = number(found, "ts")
    lines = [_line(channel, row, now) for channel in accounts for row in rows(accounts, channel)]
    table(("CHANNEL", "ACCOUNT", "RECEIVED", "SENT", "STATE"), lines, empty="No channel is configured.")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="CHANNEL", help="irc, telegram ...; unknown ones are listed.")],
    account: Annotated[str | None, typer.Option("--account", help="Add one more account under this name.")] = None,
    more: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any key; JSON5 or text.")
    ] = None,
    probe: Annotated[bool, typer.Option("--probe/--no-probe", help="Connect once before writing.")] = True,
    send_test_to: Annotated[str | None, typer.Option(metavar="CHAT", help="Send a test message there.")] = None,
    non_interactive: Annotated[bool, typer.Option("--non-interactive", help="Ask nothing.")] = False,
) -> None:
    """Connect a channel: asks for what it needs, tries it, and writes the configuration when it works.

    Every key of the channel is an option as well: --host HOST, --nick NICK; --bot-token-env NAME for a secret that is
    in a variable.
    """
    from homarus.cli.connect_channel import ChannelOptions, connect, next_step, read_settings
    from homarus.ops.draft import Draft

    state = StateDir.resolve(environment.process_environment())
    settings, others = read_settings(context.args), tuple(more or ())
    draft = Draft(state)
    options = ChannelOptions(name, account, settings, others, probe, send_test_to, not non_interactive)
    wanted = connect(draft, options)
    if wanted is None:
        say("Nothing was changed.")
        return
    state.create()
    comments_lost = draft.commit()
    say(f"Wrote {wanted.place} to {state.config_file}.")
    if comments_lost:
        warn(f"the comments of the old file are in {state.config_file.name}.bak only")
    _tell(state, wanted.place)
    say(next_step(wanted))


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel, such as irc.")],
    account: Annotated[str | None, typer.Option("--account", help="Only this account.")] = None,
) -> None:
    """Remove a channel from the configuration; what was said on it stays in the sessions."""
    from homarus.config.load import load
    from homarus.config.write import unset

    state = StateDir.resolve(environment.process_environment())
    section = load(state.config_file, state.env).config.channels.sections.get(name)
    accounts = as_row(as_row(section).get("accounts"))
    if section is None or (account is not None and account not in accounts):
        what = f"{name}, account {account}" if account else name
        raise UserError(f"{what} is not configured", fix="homarus config get channels")
    place = f"channels.{name}" + (f".accounts.{account}" if account else "")
    unset(state.config_file, place, state.env)
    say(f"Removed {place} from {state.config_file}. Secrets in .env stay there.")
    _tell(state, place)


def _tell(state: StateDir, place: str) -> None:
    from homarus.cli.telling import tell_gateway

    if note := tell_gateway(state, [place]):
        say(note)


def _line(channel: str, row: Row, now: int) -> tuple[str, ...]:
    probed = as_row(row.get("probe"))
    outcome = text(probed, "detail") or text(probed, "error")
    state = state_of(row) + (f"; probe: {outcome}" if probed else "")
    received, sent = ago(row.get("lastInboundAt"), now), ago(row.get("lastOutboundAt"), now)
    return channel, text(row, "accountId"), received, sent, state
