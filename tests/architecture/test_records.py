"""Records are msgspec Structs: a dataclass is compiled from text at every start, which costs 40 times as much."""

from __future__ import annotations

import ast
from pathlib import Path

import homarus

ROOT = Path(homarus.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))


def test_no_module_makes_dataclasses() -> None:
    found = [str(path.relative_to(ROOT)) for path in FILES if "dataclasses" in imported(path.read_text())]
    assert found == [], "write `class Name(Struct, frozen=True)` (msgspec); with secrets homarus.discreet"


def imported(source: str) -> set[str | None]:
    """Return the modules a source imports."""
    imports = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom | ast.Import))
    return {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports}


def test_an_import_is_found_wherever_it_stands() -> None:
    assert "dataclasses" in imported("def f():\n    from dataclasses import field")
