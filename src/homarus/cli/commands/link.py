"""`homarus link`: sign a browser in."""

from __future__ import annotations

from homarus.cli.gateway import session
from homarus.cli.options import AsJson, application
from homarus.cli.reach import find_gateway
from homarus.cli.reply import as_row, number, text
from homarus.cli.screen import paint, say, show_json

app = application("Print a new one-time login link.")


@app.command()
def link(as_json: AsJson = False) -> None:
    """Print a link that signs one browser in, once, within ten minutes."""
    target = find_gateway()
    with session(target) as gateway:
        made = as_row(gateway.call("login.link", {}))
    url = target.page_url + text(made, "path")
    if as_json:
        show_json({"url": url, "expiresAtMs": number(made, "expiresAtMs")})
    else:
        say(paint(url, "bold"))
        say(paint("Works once, for ten minutes.", "dim"))
