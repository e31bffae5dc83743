"""What a prompt was made of."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from homarus.protocol.results.shared import Object


class PromptPart(TypedDict):
    """A file of the workspace in the prompt; `truncated` when it was cut."""

    name: str
    path: str
    missing: bool
    rawChars: int
    injectedChars: int
    truncated: bool


class SystemPrompt(TypedDict):
    """The system prompt in characters."""

    chars: int
    hash: str
    projectContextChars: int
    nonProjectContextChars: int


class ToolSize(TypedDict):
    """What a tool takes in the prompt."""

    name: str
    summaryChars: int
    summaryHash: str
    schemaChars: int
    schemaHash: str
    propertiesCount: int


class ToolSizes(TypedDict):
    """What all tools take in the prompt."""

    listChars: int
    schemaChars: int
    entries: list[ToolSize]


class SkillSize(TypedDict):
    """What a skill takes in the prompt."""

    name: str
    blockChars: int


class SkillSizes(TypedDict):
    """What all skills take in the prompt."""

    promptChars: int
    hash: str
    entries: list[SkillSize]


class PromptReport(TypedDict):
    """What a prompt was made of, in characters."""

    source: str
    provider: str
    model: str
    workspaceDir: str
    bootstrapMaxChars: int
    bootstrapTotalMaxChars: int
    bootstrapTruncation: Object
    sandbox: Object
    systemPrompt: SystemPrompt
    injectedWorkspaceFiles: list[PromptPart]
    skills: SkillSizes
    tools: ToolSizes
    generatedAt: int
    sessionId: str
    sessionKey: str
    currentTurn: NotRequired[Object]
