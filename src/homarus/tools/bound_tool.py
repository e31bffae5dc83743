"""A registered tool with its argument type closed over, so that tools of all types share one registry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from msgspec import Struct
from pydantic import BaseModel

from homarus.models.contract import ToolSpec
from homarus.tools.arguments import compact_schema, parse_arguments
from homarus.tools.contract import ALL_EFFECTS, Effect, Tool, ToolContext, ToolOutput

ArgsT = TypeVar("ArgsT", bound=BaseModel)


class PreparedCall(Struct, frozen=True):
    """A call whose arguments are valid: what they are, and how to run it."""

    arguments: dict[str, object]
    run: Callable[[ToolContext], Awaitable[ToolOutput]]


class BoundTool(Struct, frozen=True):
    """What the runner knows about a tool. `prepare` raises UserError for arguments that are not valid.

    `describe` makes the spec models see, at a few milliseconds a tool: when the first of them asks.
    """

    name: str
    effects: frozenset[Effect]
    control: frozenset[str]
    is_idempotent: bool
    timeout: float
    describe: Callable[[], ToolSpec]
    prepare: Callable[[str], PreparedCall]


def bind(tool: Tool[ArgsT]) -> BoundTool:
    """Return the tool as the registry keeps it: one without effects has them all, and all its arguments steer.

    Raises ValueError for a declaration that contradicts itself.
    """
    unknown = tool.control - set(tool.args.model_fields)
    if unknown:
        raise ValueError(f"tool {tool.name}: control arguments {sorted(unknown)} are not arguments")

    def prepare(text: str) -> PreparedCall:
        args = parse_arguments(tool.name, tool.args, text)
        shown = cast("dict[str, object]", args.model_dump(mode="json", exclude_none=True))
        return PreparedCall(shown, lambda context: tool.run(context, args))

    def describe() -> ToolSpec:
        return ToolSpec(tool.name, tool.description, compact_schema(tool.args))

    effects = tool.effects or ALL_EFFECTS
    control = tool.control if tool.effects else frozenset(tool.args.model_fields)
    return BoundTool(tool.name, effects, control, tool.is_idempotent, tool.timeout, describe, prepare)
