"""`homarus version`."""

from __future__ import annotations

import platform

from homarus import __version__
from homarus.cli.options import AsJson, application
from homarus.cli.screen import say, show_json

app = application("Print the version.")


@app.command()
def version(as_json: AsJson = False) -> None:
    """Print the version of Homarus and of the Python that runs it."""
    if as_json:
        show_json({"version": __version__, "python": platform.python_version(), "system": platform.platform()})
    else:
        say(f"homarus {__version__} (Python {platform.python_version()}, {platform.system()})")
