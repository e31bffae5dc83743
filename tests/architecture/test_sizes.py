"""Files and functions stay small enough to be read at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import homarus

ROOT = Path(homarus.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MAX_FILE = 400
MAX_FUNCTION = 60
MEDIAN_FILE = 150
MEDIAN_FUNCTION = 12

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Yield name and lines of each function, its documentation not counted."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            yield node.name, length(node)


def length(node: Function) -> int:
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    is_documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return total - ((first.end_lineno or first.lineno) - first.lineno + 1 if is_documented else 0)


def median(numbers: list[int]) -> int:
    return sorted(numbers)[len(numbers) // 2]


def test_a_file_is_one_thing() -> None:
    sources = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in FILES}
    assert [name for name, source in sources.items() if len(source.splitlines()) > MAX_FILE] == []
    measured = ((name, each, lines) for name, source in sources.items() for each, lines in functions(source))
    assert [(name, each, lines) for name, each, lines in measured if lines > MAX_FUNCTION] == []


def test_most_files_and_functions_are_short() -> None:
    sources = [path.read_text(encoding="utf-8") for path in FILES]
    assert median([len(source.splitlines()) for source in sources]) <= MEDIAN_FILE
    assert median([lines for source in sources for _, lines in functions(source)]) <= MEDIAN_FUNCTION


def test_the_check_counts_lines_without_documentation() -> None:
    source = 'def f():\n    """One\n    two."""\n    return 1\n'
    assert list(functions(source)) == [("f", 2)]
