"""SQL and its libraries live in one room."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import homarus

ROOT = Path(homarus.__file__).parent
LIBRARIES = {"sqlalchemy", "alembic", "sqlite3", "psycopg", "asyncpg", "aiosqlite"}
STATEMENT = re.compile(
    r"^\s*(SELECT\s.+\sFROM\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s"
    r"|(CREATE|DROP|ALTER)\s+(VIRTUAL\s+|UNIQUE\s+)?(TABLE|INDEX|TRIGGER|VIEW)\s|PRAGMA\s+\w+|BEGIN\s+IMMEDIATE|SAVEPOINT\s)",
    re.DOTALL,
)
OUTSIDE = sorted(path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] != "storage")


def find_violations(source: str) -> list[str]:
    tree = ast.parse(source)
    return [*_imports(tree), *_statements(tree)]


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"line {node.lineno}: imports {alias.name}" for alias in node.names if _is_sql(alias.name))
        elif isinstance(node, ast.ImportFrom) and _is_sql(node.module or ""):
            yield f"line {node.lineno}: imports {node.module}"


def _is_sql(module: str) -> bool:
    return module.partition(".")[0] in LIBRARIES


def _statements(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.match(node.value):
            yield f"line {node.lineno}: SQL {node.value.strip()[:40]!r}"


def test_no_module_outside_storage_speaks_sql() -> None:
    found = {str(path.relative_to(ROOT)): find_violations(path.read_text(encoding="utf-8")) for path in OUTSIDE}
    assert {name: violations for name, violations in found.items() if violations} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import sqlite3",
        "from sqlalchemy.engine import Engine",
        "def f():\n    from alembic import command",
        'x = "SELECT a FROM b"',
        'x = f"INSERT INTO t VALUES ({y})"',
        'x = """\n  UPDATE t SET a = 1"""',
        'x = "PRAGMA journal_mode"',
    ],
)
def test_the_check_finds_what_it_forbids(source: str) -> None:
    assert len(find_violations(source)) == 1


def test_the_check_lets_plain_words_be() -> None:
    assert find_violations('"""Select what came from where; update the set, begin anew."""\nimport sqlmodelling') == []


def test_storage_itself_would_be_found() -> None:
    assert any(find_violations(path.read_text(encoding="utf-8")) for path in (ROOT / "storage").glob("*.py"))
