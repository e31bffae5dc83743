"""Every tool by name, and their specs as models see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from homarus.models.contract import ToolSpec
from homarus.tools.bound_tool import BoundTool, bind
from homarus.tools.contract import Tool

ArgsT = TypeVar("ArgsT", bound=BaseModel)


class ToolRegistry:
    """Tools in the order they were registered, which is the order models see: the prompt prefix stays the same."""

    def __init__(self) -> None:
        self._tools: dict[str, BoundTool] = {}
        self._described: dict[str, ToolSpec] = {}
        self._specs: dict[frozenset[str], tuple[ToolSpec, ...]] = {}

    def register(self, tool: Tool[ArgsT]) -> None:
        """Add a tool. Raises ValueError for a name that is taken."""
        if tool.name in self._tools:
            raise ValueError(f"there already is a tool named {tool.name}")
        self._tools[tool.name] = bind(tool)
        self._specs.clear()

    def get(self, name: str) -> BoundTool | None:
        """Return a tool, None when there is none of this name."""
        return self._tools.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Return all names in order."""
        return tuple(self._tools)

    def specs(self, is_allowed: Callable[[str], bool]) -> tuple[ToolSpec, ...]:
        """Return the specs of allowed tools; the same object for the same tools."""
        allowed = frozenset(name for name in self._tools if is_allowed(name))
        if allowed not in self._specs:
            self._specs[allowed] = tuple(self._spec(name) for name in self._tools if name in allowed)
        return self._specs[allowed]

    def _spec(self, name: str) -> ToolSpec:
        if name not in self._described:
            self._described[name] = self._tools[name].describe()
        return self._described[name]
