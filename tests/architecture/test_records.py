"""Records are msgspec Structs: a dataclass is compiled from text at every start, which costs 40 times as much."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import homarus

ROOT = Path(homarus.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_makes_dataclasses(path: Path) -> None:
    imports = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom | ast.Import))
    named = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports}
    assert "dataclasses" not in named, (
        "write `class Name(Struct, frozen=True)` (msgspec); with secrets homarus.discreet"
    )
