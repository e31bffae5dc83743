"""`homarus onboard`: from nothing to an assistant that answers."""

from __future__ import annotations

from typing import Annotated

import typer

from homarus.cli.options import application
from homarus.cli.screen import say, warn
from homarus.config import environment
from homarus.config.paths import StateDir

app = application("Set up a model, a channel and the service, by questions or by options.")

_CHANNEL_HELP = "Connect this channel; its keys follow as --irc-host HOST, --telegram-token-env NAME and so on."


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def onboard(  # noqa: PLR0917 - one parameter for each option
    context: typer.Context,
    non_interactive: Annotated[bool, typer.Option("--non-interactive", help="Ask nothing.")] = False,
    provider: Annotated[
        str | None, typer.Option(help="basic, openai, ollama, custom ...; unknown ones are listed.")
    ] = None,
    api_key_env: Annotated[str | None, typer.Option(metavar="NAME", help="The variable that holds the key.")] = None,
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="Address of the server, up to /v1.")] = None,
    model: Annotated[str | None, typer.Option(help="Name of the model, as the provider writes it.")] = None,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Ask the model something before writing.")] = True,
    channel: Annotated[str | None, typer.Option(help=_CHANNEL_HELP)] = None,
    probe: Annotated[bool, typer.Option("--probe/--no-probe", help="Connect the channel once before writing.")] = True,
    send_test_to: Annotated[str | None, typer.Option(metavar="CHAT", help="Send a test message there.")] = None,
    install_service: Annotated[
        bool | None, typer.Option("--install-service/--no-install-service", help="Start Homarus with this machine.")
    ] = None,
) -> None:
    """Set up a model, a channel and the service. Nothing is written before everything was answered and tried."""
    from homarus.cli.connect_channel import ChannelOptions, read_settings
    from homarus.cli.connect_model import ModelOptions
    from homarus.cli.onboarding import Onboarding

    settings = read_settings(context.args, f"{channel}-" if channel else "")
    is_asking = not non_interactive
    about_channel = None
    if channel:
        about_channel = ChannelOptions(
            channel, settings=settings, is_probed=probe, test_to=send_test_to, is_asking=is_asking
        )
    steps = Onboarding(
        state=StateDir.resolve(environment.process_environment()),
        model=ModelOptions(provider, api_key_env, base_url, model, is_tested=test),
        channel=about_channel,
        is_probed=probe,
        is_asking=is_asking,
        has_service=install_service,
    )
    try:
        steps.run()
    except KeyboardInterrupt:
        say()
        if not steps.is_written:
            warn("stopped; nothing was changed")
        raise
