"""A `tailscale` program that is none: keeps what it serves in a file and writes down how it was called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

_SCRIPT = r"""#!/bin/sh
# One call: note it, then behave as the files beside this program say.
here=$(dirname "$0")
echo "$*" >> "$here/calls"
if [ -f "$here/fail" ]; then cat "$here/fail" >&2; exit 1; fi
if [ -f "$here/hang" ]; then cat "$here/hang"; exec sleep 600; fi
case "$*" in
  *"status --json --peers=false") cat "$here/status.json" ;;
  *"serve status --json") cat "$here/serve.json" ;;
  *"off") echo '{}' > "$here/serve.json" ;;
  serve*|funnel*|--socket*)
    public=false; case "$*" in *funnel*) public=true ;; esac
    if [ -f "$here/stays-public" ]; then public=true; rm "$here/stays-public"; fi
    for target in "$@"; do :; done
    printf '{"Web": {"box.example.ts.net:443": {"Handlers": {"/": {"Proxy": "%s"}}}},' "$target" > "$here/serve.json"
    printf '"AllowFunnel": {"box.example.ts.net:443": %s}}' "$public" >> "$here/serve.json" ;;
  *) echo "unknown command: $*" >&2; exit 2 ;;
esac
"""


class FakeTailscale:
    """Put `folder` first on PATH. `fail` and `hang` make every call end badly with a text, or not at all."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        program = folder / "tailscale"
        program.write_text(_SCRIPT)
        program.chmod(0o755)
        self.set_status("Running")
        (folder / "serve.json").write_text("{}")

    def set_status(self, state: str, name: str = "Box.example.ts.net.") -> None:
        """Say whether this machine is on a tailnet."""
        (self.folder / "status.json").write_text(json.dumps({"BackendState": state, "Self": {"DNSName": name}}))

    def set_served(self, target: str) -> None:
        """Serve something of somebody else at the root."""
        handlers = {"Handlers": {"/": {"Proxy": target}}}
        (self.folder / "serve.json").write_text(json.dumps({"Web": {"box.example.ts.net:443": handlers}}))

    def set_behaviour(self, name: str, text: str = "") -> None:
        """Switch `fail`, `hang` or `stays-public` on."""
        (self.folder / name).write_text(text)

    @property
    def calls(self) -> list[str]:
        """Return the arguments of every call."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def served(self) -> dict[str, Any]:
        """Return what is served now."""
        return cast("dict[str, Any]", json.loads((self.folder / "serve.json").read_text()))
