"""Parameters of the approval methods (reference 02, approvals)."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen, MinLen

from homarus.protocol.base import Count, NonEmpty, Params

ApprovalId = Annotated[str, MinLen(1), MaxLen(128)]
Positive = Annotated[int, Ge(1), Le(24 * 60 * 60 * 1000)]


class MutableFile(Params):
    """A script a command runs, and what it held when the run was planned."""

    argv_index: Count
    path: str
    sha256: str


class RunPlan(Params):
    """Exactly what a node is to run."""

    argv: list[str]
    cwd: str | None
    command_text: str
    command_preview: str | None = None
    agent_id: str | None
    session_key: str | None
    mutable_file_operand: MutableFile | None = None


class ExecApprovalRequestParams(Params):
    """`exec.approval.request`. `timeout_ms` at most a day."""

    id: ApprovalId | None = None
    command: NonEmpty | None = None
    command_argv: list[str] | None = None
    system_run_plan: RunPlan | None = None
    env: dict[str, str] | None = None
    cwd: NonEmpty | None = None
    node_id: NonEmpty | None = None
    host: str | None = None
    security: str | None = None
    ask: str | None = None
    agent_id: NonEmpty | None = None
    resolved_path: NonEmpty | None = None
    session_key: NonEmpty | None = None
    turn_source_channel: NonEmpty | None = None
    turn_source_to: NonEmpty | None = None
    turn_source_account_id: NonEmpty | None = None
    turn_source_thread_id: str | int | None = None
    timeout_ms: Positive | None = None
    two_phase: bool | None = None


class PluginApprovalRequestParams(Params):
    """`plugin.approval.request`."""

    plugin_id: NonEmpty | None = None
    title: Annotated[str, MinLen(1), MaxLen(80)]
    description: Annotated[str, MinLen(1), MaxLen(256)]
    severity: Literal["info", "warning", "critical"] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None
    agent_id: str | None = None
    session_key: str | None = None
    turn_source_channel: str | None = None
    turn_source_to: str | None = None
    turn_source_account_id: str | None = None
    turn_source_thread_id: str | int | None = None
    timeout_ms: Annotated[int, Ge(1), Le(600_000)] | None = None
    two_phase: bool | None = None


class ApprovalParams(Params):
    """`exec.approval.get` and both `waitDecision`."""

    id: ApprovalId


class ApprovalResolveParams(Params):
    """`exec.approval.resolve` and `plugin.approval.resolve`."""

    id: ApprovalId
    decision: NonEmpty


class AllowlistEntry(Params):
    """A program that may run without being asked for."""

    id: NonEmpty | None = None
    pattern: str
    arg_pattern: str | None = None
    last_used_at: Count | None = None
    last_used_command: str | None = None
    last_resolved_path: str | None = None


class ExecDefaults(Params):
    """What holds where an agent says nothing."""

    security: str | None = None
    ask: str | None = None
    ask_fallback: str | None = None
    auto_allow_skills: bool | None = None


class ExecAgent(ExecDefaults):
    """What holds for one agent."""

    allowlist: Annotated[list[AllowlistEntry], MaxLen(4096)] | None = None


class ExecSocket(Params):
    """Where a companion app asks its user."""

    path: str | None = None
    token: str | None = None


class ExecApprovalsBody(Params):
    """The file of command approvals."""

    version: Literal[1]
    socket: ExecSocket | None = None
    defaults: ExecDefaults | None = None
    agents: dict[str, ExecAgent] | None = None


class ExecApprovalsSetParams(Params):
    """`exec.approvals.set`."""

    file: ExecApprovalsBody
    base_hash: NonEmpty | None = None


class NodeExecApprovalsParams(Params):
    """`exec.approvals.node.get`."""

    node_id: NonEmpty


class NodeExecApprovalsSetParams(ExecApprovalsSetParams):
    """`exec.approvals.node.set`."""

    node_id: NonEmpty
