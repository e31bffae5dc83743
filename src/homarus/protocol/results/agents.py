"""Results about agents, models and commands."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from homarus.protocol.results.shared import Level, Object


class Look(TypedDict, total=False):
    """How an agent presents itself."""

    name: str
    theme: str
    emoji: str
    avatar: str
    avatarUrl: str


class AgentModel(TypedDict, total=False):
    """The models of an agent."""

    primary: str
    fallbacks: list[str]


class Agent(TypedDict):
    """An agent as lists show it."""

    id: str
    name: NotRequired[str]
    identity: NotRequired[Look]
    workspace: NotRequired[str]
    model: NotRequired[AgentModel]


class AgentsList(TypedDict):
    """All agents; `defaultId` is the one that answers when none is named."""

    defaultId: str
    ownership: str
    selectionRequired: bool
    mainKey: str
    scope: str
    agents: list[Agent]


class AgentIdentity(TypedDict):
    """The name and look of an agent."""

    agentId: str
    name: str
    nameSource: str
    avatar: str
    emoji: NotRequired[str]


class AgentCreated(TypedDict):
    """The new agent."""

    ok: bool
    agentId: str
    name: str
    workspace: str


class AgentChanged(TypedDict):
    """The agent that was changed."""

    ok: bool
    agentId: str


class AgentDeleted(TypedDict):
    """The agent that is gone, and how many rules that led to it."""

    ok: bool
    agentId: str
    removedBindings: int


class AgentFile(TypedDict):
    """A file of a workspace; with its content where that was asked for."""

    name: str
    path: str
    missing: bool
    size: NotRequired[int]
    updatedAtMs: NotRequired[int]
    content: NotRequired[str]
    hash: NotRequired[str]


class AgentFiles(TypedDict):
    """The files that make up an agent."""

    agentId: str
    workspace: str
    files: list[AgentFile]


class AgentFileRead(TypedDict):
    """One of them."""

    agentId: str
    workspace: str
    file: AgentFile


class AgentFileWritten(AgentFileRead):
    """One of them, as it is now."""

    ok: bool


class ModelRow(TypedDict):
    """A model that can be chosen. `contextWindow` in tokens."""

    id: str
    name: str
    provider: str
    available: NotRequired[bool]
    contextWindow: NotRequired[int]
    reasoning: NotRequired[bool]
    supportsTools: NotRequired[bool]
    input: NotRequired[list[str]]
    thinkingLevels: NotRequired[list[Level]]
    tags: NotRequired[list[str]]
    alias: NotRequired[str]
    unavailableReason: NotRequired[str]


class ModelsList(TypedDict):
    """The models that can be chosen."""

    models: list[ModelRow]
    defaultModels: NotRequired[Object]
    providerCapabilities: NotRequired[list[Object]]


class ProviderAuth(TypedDict):
    """Whether a provider of models has a key."""

    provider: str
    authProvider: str
    displayName: str
    status: str
    profiles: list[Object]
    apiKey: NotRequired[Object]


class ProviderFacts(TypedDict):
    """How a key can be given to a provider."""

    provider: str
    apiKeySupported: bool
    quickApiKeySetup: bool


class ModelsAuth(TypedDict):
    """Which providers have a key."""

    ts: int
    providers: list[ProviderAuth]
    providerCapabilities: list[ProviderFacts]


class CommandArgument(TypedDict):
    """An argument of a command."""

    name: str
    description: str
    type: str
    required: NotRequired[bool]
    choices: NotRequired[list[object]]


class Command(TypedDict):
    """A command that can be typed in a chat."""

    name: str
    textAliases: NotRequired[list[str]]
    description: str
    category: NotRequired[str]
    source: str
    scope: str
    acceptsArgs: bool
    args: NotRequired[list[CommandArgument]]
