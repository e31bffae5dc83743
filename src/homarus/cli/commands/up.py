"""`homarus up`: the gateway with a login link."""

from __future__ import annotations

from homarus.cli.commands.gateway import Bind, Config, Home, Port, Token
from homarus.cli.options import application
from homarus.cli.serving import Start, serve

app = application("Start the gateway and print a login link for the browser.")


@app.command()
def up(port: Port = None, bind: Bind = None, token: Token = None, config: Config = None, home: Home = None) -> None:
    """Start the gateway and print a login link for the browser; Ctrl-C stops it."""
    serve(Start(home=home, config=config, port=port, bind=bind, token=token, is_for_people=True))
