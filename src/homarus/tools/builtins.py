"""Registers the built-in tools: the only place that knows them by name."""

from __future__ import annotations

from homarus.sandbox.contract import Limits, Sandbox
from homarus.sandbox.registry import Unavailable
from homarus.tools.builtin.edit import EditTool
from homarus.tools.builtin.exec import ExecTool
from homarus.tools.builtin.list import ListTool
from homarus.tools.builtin.read import ReadTool
from homarus.tools.builtin.recall import RecallTool
from homarus.tools.builtin.remember import RememberTool
from homarus.tools.builtin.send_file import SendFileTool
from homarus.tools.builtin.session_status import SessionStatusTool
from homarus.tools.builtin.write import WriteTool
from homarus.tools.file_port import FileShelf
from homarus.tools.memory_port import MemoryStore
from homarus.tools.registry import ToolRegistry
from homarus.tools.status_port import StatusSource


def builtin_registry(
    sandbox: Sandbox | Unavailable,
    memory: MemoryStore,
    status: StatusSource,
    files: FileShelf,
    limits: Limits | None = None,
) -> ToolRegistry:
    """Return a registry of the built-in tools, in the order models see them."""
    registry = ToolRegistry()
    registry.register(ReadTool())
    registry.register(WriteTool())
    registry.register(EditTool())
    registry.register(ListTool())
    registry.register(ExecTool(sandbox, limits))
    registry.register(RememberTool(memory))
    registry.register(RecallTool(memory))
    registry.register(SessionStatusTool(status))
    registry.register(SendFileTool(files))
    return registry
