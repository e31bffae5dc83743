"""Run OpenClaw's clients against Homarus, and Homarus's clients against OpenClaw.

Usage: python -m conformance [--release 2026.4.5] [--only TEXT] [--write] [--keep FOLDER] [--list]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import platform
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

from conformance.checks import FAMILIES
from conformance.model import NAME, answer
from conformance.releases import RELEASES, InstallError, Node, Release, find_node, install_release, say
from conformance.report import Mismatch, Outcome, record, summary, table
from conformance.stage import Stage, our_gateway
from homarus import __version__
from homarus.testing.model_server import ModelServer

PAGE = Path(__file__).resolve().parents[1] / "docs" / "conformance.md"


async def try_release(release: Release, node: Node, folder: Path, only: str) -> AsyncGenerator[Outcome]:
    """Run the checks of one release whose family contains `only`."""
    package = install_release(release, node)
    shots = folder / "shots" / release.version
    shots.mkdir(parents=True, exist_ok=True)
    for kind in (each for each in FAMILIES if only in each.title):
        scratch = folder / release.version / kind.title.replace(" ", "-")
        shutil.rmtree(scratch, ignore_errors=True)
        async with (
            ModelServer((NAME,), answer=answer) as model,
            our_gateway(scratch / "homarus", model.base_url) as ours,
        ):
            stage = Stage(release, node, package, scratch, shots, model.base_url, ours)
            async for outcome in kind(stage).outcomes():
                yield outcome


async def try_all(releases: list[Release], folder: Path, only: str) -> list[Outcome]:
    """Run everything, one line per check as it is done."""
    node, outcomes = find_node(), list[Outcome]()
    for release in releases:
        async with contextlib.aclosing(try_release(release, node, folder, only)) as found:
            async for outcome in found:
                outcomes.append(outcome)
                say(outcome.line())
    return outcomes


def main() -> int:
    """Run what the arguments name; 0 when everything passed."""
    options = _options().parse_args()
    if options.list:
        for kind in FAMILIES:
            say(f"{kind.title}: {', '.join(kind.names())}")
        return 0
    releases = [each for each in RELEASES if options.release in (None, each.version)]
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homarus-conformance-")))
        folder.mkdir(parents=True, exist_ok=True)
        try:
            outcomes = asyncio.run(try_all(releases, folder, options.only))
        except (InstallError, Mismatch) as error:
            say(f"conformance: {error}")
            return 2
    say(f"\n{table(outcomes)}\n")
    if options.write:
        record(PAGE, f"{_heading(outcomes)}\n\n{table(outcomes)}")
    say(summary(outcomes))
    return int(not outcomes or any(not each.is_passed for each in outcomes))


def _heading(outcomes: list[Outcome]) -> str:
    today = datetime.now(UTC).date().isoformat()
    where = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"Homarus {__version__}, {today}, {where}: {summary(outcomes)}."


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument("--release", choices=[each.version for each in RELEASES], help="only this release")
    parser.add_argument("--only", default="", help="only families whose title contains this")
    parser.add_argument("--write", action="store_true", help=f"record the run in {PAGE.name}")
    parser.add_argument("--keep", type=Path, help="folder for state, logs and pictures, kept afterwards")
    parser.add_argument("--list", action="store_true", help="print the checks and end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
