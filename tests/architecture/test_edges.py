"""The clock, randomness and the environment are touched at their edges only, so that everything else can be tested."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import homarus

ROOT = Path(homarus.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

EDGES = {
    # The self-test of the sandbox puts a bait into its own environment and looks whether a command finds it.
    "environment": ("config/environment.py", "cli/", "sandbox/selftest.py"),
    "clock": ("clock.py", "cli/", "testing/"),
    "randomness": ("clock.py", "cli/", "testing/", "sandbox/selftest.py"),
    "sleep": ("clock.py", "cli/", "testing/"),
}
"""Where each may be touched: a file, or a room when it ends with a slash."""

CALLS = {
    "os.environ": "environment",
    "os.getenv": "environment",
    "os.putenv": "environment",
    "time.time": "clock",
    "time.time_ns": "clock",
    "time.monotonic": "clock",
    "time.monotonic_ns": "clock",
    "time.perf_counter": "clock",
    "datetime.now": "clock",
    "datetime.utcnow": "clock",
    "datetime.today": "clock",
    "date.today": "clock",
    "time.sleep": "sleep",
    "asyncio.sleep": "sleep",
    "os.urandom": "randomness",
    "uuid.uuid1": "randomness",
    "uuid.uuid4": "randomness",
}
MODULES = {"random": "randomness", "secrets": "randomness"}


def touches(source: str) -> Iterator[tuple[str, int]]:
    """Yield what a module touches, with the line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and (kind := CALLS.get(_tail(node))):
            yield kind, node.lineno
        elif isinstance(node, ast.Import):
            yield from ((MODULES[alias.name], node.lineno) for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            yield from _imported(node)


def _imported(node: ast.ImportFrom) -> Iterator[tuple[str, int]]:
    module = node.module or ""
    for alias in node.names:
        kind = MODULES.get(module) or CALLS.get(f"{module}.{alias.name}")
        if kind:
            yield kind, node.lineno


def _tail(node: ast.Attribute) -> str:
    """Return the last two parts of a dotted name: `datetime.datetime.now` is `datetime.now`."""
    value = node.value
    name = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else ""
    return f"{name}.{node.attr}"


def is_edge(kind: str, path: str) -> bool:
    return any(path.startswith(edge) if edge.endswith("/") else path == edge for edge in EDGES[kind])


def test_time_chance_and_environment_stay_at_the_edges() -> None:
    sources = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in FILES}
    touched = ((name, kind, line) for name, source in sources.items() for kind, line in touches(source))
    assert [(name, kind, line) for name, kind, line in touched if not is_edge(kind, name)] == []


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import os\nx = os.environ['A']", "environment"),
        ("from os import environ", "environment"),
        ("import time\nx = time.time()", "clock"),
        ("import datetime\nx = datetime.datetime.now()", "clock"),
        ("import asyncio\nasync def f():\n    await asyncio.sleep(1)", "sleep"),
        ("from random import choice", "randomness"),
        ("import secrets", "randomness"),
        ("from uuid import uuid4", "randomness"),
    ],
)
def test_the_check_finds_what_it_forbids(source: str, kind: str) -> None:
    assert [found for found, _ in touches(source)] == [kind]


def test_the_check_lets_the_injected_clock_be() -> None:
    assert list(touches("async def f(clock):\n    await clock.sleep(1)\n    return clock.monotonic()")) == []


@pytest.mark.parametrize("edge", sorted({edge for edges in EDGES.values() for edge in edges}))
def test_every_edge_exists(edge: str) -> None:
    assert (ROOT / edge).exists()
