"""A tool call's context with the owner's label."""

from __future__ import annotations

from pathlib import Path

import pytest

from homarus.ids import AgentId, RunId
from homarus.labels import Confidentiality, Integrity, Label
from homarus.tools.contract import ToolContext


@pytest.fixture
def context(tmp_path: Path) -> ToolContext:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    label = Label(Integrity.USER, Confidentiality.CHAT, ("channel:irc",))
    return ToolContext(AgentId("main"), "agent:main:main", RunId("run-1"), "call-1", workspace, label)
