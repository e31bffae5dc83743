"""Results about the configuration."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from homarus.protocol.results.shared import Object


class ConfigIssue(TypedDict):
    """Something wrong with the configuration, and what to do about it."""

    path: str
    message: str
    fix: NotRequired[str | None]


class ConfigSnapshot(TypedDict):
    """The configuration, secrets hidden: `raw` as written, `parsed` as read, `config` with everything filled in.

    `hash` is what a change has to name.
    """

    path: str
    exists: bool
    raw: str | None
    parsed: object
    sourceConfig: NotRequired[Object]
    resolved: Object
    runtimeConfig: NotRequired[Object]
    valid: bool
    config: Object
    hash: str
    issues: list[ConfigIssue]
    warnings: list[ConfigIssue]
    legacyIssues: list[ConfigIssue]
    includedPaths: NotRequired[list[str]]
    includeProvenance: NotRequired[list[Object]]
    agentRosterIncludeOwned: NotRequired[bool]
    bindingsIncludeOwned: NotRequired[bool]
    configRevisionHash: NotRequired[str]
    appliedConfigHash: NotRequired[str]


class Restart(TypedDict):
    """Whether a restart is needed for a change, and for which keys."""

    ok: bool
    pid: int
    signal: str
    delayMs: int
    reason: NotRequired[str]
    mode: str
    coalesced: bool
    cooldownMsApplied: int
    needsRestart: NotRequired[list[str]]


class ConfigWritten(TypedDict):
    """The configuration as it is now; `noop` when nothing changed."""

    ok: bool
    path: str
    config: Object
    noop: NotRequired[bool]
    restart: NotRequired[Restart]
    sentinel: NotRequired[Object]


class ConfigReloaded(TypedDict):
    """What a reload took over, what waits for a restart, and what was wrong."""

    ok: bool
    applied: list[str]
    needsRestart: list[str]
    channels: list[str]
    issues: list[ConfigIssue]


class Hint(TypedDict, total=False):
    """How a key is shown in a form."""

    label: str
    help: str
    tags: list[str]
    group: str
    order: int
    advanced: bool
    sensitive: bool
    placeholder: str


class ConfigSchema(TypedDict):
    """The JSON Schema of the configuration, and how each key is shown, by its dotted path."""

    schema: Object
    uiHints: dict[str, Hint]
    version: str
    generatedAt: str


class ConfigKey(TypedDict):
    """A key below another."""

    key: str
    path: str
    type: NotRequired[str | list[str]]
    required: bool
    hasChildren: bool
    hint: NotRequired[Hint]
    hintPath: NotRequired[str]
    reloadKind: NotRequired[str]


class ConfigLookup(TypedDict):
    """One key, and those below it."""

    path: str
    schema: Object
    hint: NotRequired[Hint]
    hintPath: NotRequired[str]
    children: list[ConfigKey]
    reloadKind: NotRequired[str]
