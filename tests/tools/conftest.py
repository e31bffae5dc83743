"""A tool call's context with the owner's label."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from homarus.clock import SystemClock
from homarus.ids import AgentId, RunId
from homarus.labels import Confidentiality, Integrity, Label
from homarus.sandbox.contract import Sandbox
from homarus.sandbox.registry import Unavailable, backends, select
from homarus.tools.contract import ToolContext


@pytest.fixture
def context(tmp_path: Path) -> ToolContext:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    label = Label(Integrity.USER, Confidentiality.CHAT, ("channel:irc",))
    return ToolContext(AgentId("main"), "agent:main:main", RunId("run-1"), "call-1", workspace, label)


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    found = asyncio.run(select(backends(SystemClock())))
    if isinstance(found, Unavailable):
        message = f"no sandbox works here: {found.reason}; to fix it: {found.fix}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found
