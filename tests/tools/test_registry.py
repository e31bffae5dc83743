from __future__ import annotations

import json

import pytest

from homarus.ids import AgentId
from homarus.models.contract import ToolSpec
from homarus.sandbox.registry import Unavailable
from homarus.tools.arguments import Arguments
from homarus.tools.builtins import builtin_registry
from homarus.tools.contract import ALL_EFFECTS, Effect, ToolContext, ToolOutput
from homarus.tools.registry import ToolRegistry


class Nothing:
    async def remember(self, agent_id: str, text: str, label: object, run_id: str | None) -> int:
        return 1

    async def recall(self, agent_id: str, query: str, limit: int) -> list[object]:
        return []

    async def describe(self, session_key: str) -> str:
        return session_key


class SampleArgs(Arguments):
    to: str
    text: str


class Sample:
    name = "sample"
    description = "A sample."
    args = SampleArgs
    is_idempotent = True
    timeout = 1.0

    def __init__(self, effects: frozenset[Effect], control: frozenset[str]) -> None:
        self.effects = effects
        self.control = control

    async def run(self, context: ToolContext, args: SampleArgs) -> ToolOutput:
        return ToolOutput(args.text)


def builtins() -> ToolRegistry:
    nothing = Nothing()
    return builtin_registry(Unavailable("none", "install one", ()), nothing, nothing, nothing)  # pyright: ignore[reportArgumentType]


def wire(specs: tuple[ToolSpec, ...]) -> str:
    return json.dumps([[spec.name, spec.description, spec.parameters] for spec in specs])


def test_the_builtin_tools_are_small_and_in_a_fixed_order() -> None:
    specs = builtins().specs(lambda _name: True)
    names = [spec.name for spec in specs]
    assert names == ["read", "write", "edit", "list", "exec", "remember", "recall", "session_status", "send_file"]
    shaped = [
        {"type": "function", "function": {"name": s.name, "description": s.description, "parameters": s.parameters}}
        for s in specs
    ]
    assert len(json.dumps(shaped)) <= 3_500


def test_specs_are_the_same_bytes_every_time_and_the_same_object_for_the_same_tools() -> None:
    registry = builtins()
    once = registry.specs(lambda name: name != "exec")
    assert once is registry.specs(lambda name: name not in {"exec", "unknown"})
    assert wire(once) == wire(builtins().specs(lambda name: name != "exec"))
    assert len(once) == 8


def test_every_builtin_tool_declares_effects_and_real_control_arguments() -> None:
    registry = builtins()
    for name in registry.names:
        tool = registry.get(name)
        assert tool is not None
        assert tool.effects
        assert tool.effects < ALL_EFFECTS | {Effect.PURE}
        assert 0 < tool.timeout <= 3_600


def test_a_tool_that_declares_no_effect_has_all_and_all_its_arguments_steer() -> None:
    registry = ToolRegistry()
    registry.register(Sample(frozenset(), frozenset()))
    tool = registry.get("sample")
    assert tool is not None
    assert tool.effects == ALL_EFFECTS
    assert tool.control == {"to", "text"}


def test_a_control_argument_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="recipient"):
        ToolRegistry().register(Sample(frozenset({Effect.PURE}), frozenset({"recipient"})))


def test_a_name_is_taken_once() -> None:
    registry = ToolRegistry()
    registry.register(Sample(frozenset({Effect.PURE}), frozenset()))
    with pytest.raises(ValueError, match="already"):
        registry.register(Sample(frozenset({Effect.PURE}), frozenset()))
    assert AgentId("main") not in registry.names
