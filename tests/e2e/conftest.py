"""What the tests of whole processes share."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return an empty state folder, as private as a real one."""
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    return path
