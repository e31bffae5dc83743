"""Run the unit tests of the chat page with the Node that builds it.

Usage: python scripts/web_tests.py
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol, cast

WEB = Path(__file__).resolve().parents[1] / "web"
STAMP = WEB / "node_modules" / ".test-packages"
TIMEOUT_S = 900


class Node(Protocol):
    """A Node interpreter and the script of its npm."""

    binary: Path
    npm: Path


class Build(Protocol):
    """What web/build.py offers; it is a script and lies in no package."""

    BuildError: type[Exception]

    def say(self, text: str) -> None:
        """Print a progress line."""
        ...

    def find_node(self) -> Node:
        """Return the Node to build with."""
        ...


def _load_build() -> Build:
    spec = importlib.util.spec_from_file_location("homarus_web_build", WEB / "build.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{WEB / 'build.py'} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return cast("Build", module)


def _lock_hash() -> str:
    return hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()


def _run(node: Node, arguments: list[str | Path], *, is_quiet: bool = False) -> int:
    path = os.pathsep.join([str(node.binary.parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path}
    command = [str(node.binary), *map(str, arguments)]
    output = subprocess.DEVNULL if is_quiet else None
    done = subprocess.run(command, cwd=WEB, env=environment, timeout=TIMEOUT_S, check=False, stdout=output)  # noqa: S603 - our own node
    return done.returncode


def _install(build: Build, node: Node) -> int:
    """Install the locked packages with the test tools, unless they are there."""
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == _lock_hash():
        return 0
    build.say("installing the locked packages and test tools (npm ci) ...")
    status = _run(node, [node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], is_quiet=True)
    if status == 0:
        STAMP.write_text(_lock_hash(), encoding="utf-8")
    return status


def main() -> int:
    """Return the exit status of the tests."""
    build = _load_build()
    try:
        node = build.find_node()
    except build.BuildError as error:
        sys.stderr.write(f"web: {error}\n")
        return 1
    return _install(build, node) or _run(node, [WEB / "node_modules" / "vitest" / "vitest.mjs", "run"])


if __name__ == "__main__":
    sys.exit(main())
