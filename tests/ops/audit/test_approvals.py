from __future__ import annotations

import json
from pathlib import Path

import pytest

from homarus.ops.audit.approvals import audit_approvals


def found(root: Path) -> list[tuple[str, str]]:
    return [(each.id, each.severity) for each in audit_approvals(root)]


@pytest.mark.parametrize("folder", ["", "node"])
def test_rules_that_allow_everything_are_named(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "exec-approvals.json"
    path.parent.mkdir(exist_ok=True)
    cases: list[tuple[object, list[tuple[str, str]]]] = [
        ({"defaults": {"security": "allowlist", "ask": "on-miss"}}, []),
        ({"defaults": {"security": "full", "ask": "off"}}, [("exec_approvals.full", "critical")]),
        ({"agents": {"main": {"security": "full", "ask": "always"}}}, [("exec_approvals.full", "warn")]),
        ({"defaults": {"askFallback": "full"}}, [("exec_approvals.fallback_full", "critical")]),
        ({"defaults": 7, "agents": []}, []),
    ]
    for body, expected in cases:
        path.write_text(json.dumps(body))
        assert found(tmp_path) == expected, body
    path.write_text("no json")
    assert found(tmp_path) == [("exec_approvals.unreadable", "warn")]


def test_without_rules_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert found(tmp_path) == []
