"""Results about devices and nodes."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from homarus.protocol.results.shared import Object


class DeviceFacts(TypedDict):
    """What a device said of itself."""

    deviceId: str
    publicKey: str
    displayName: NotRequired[str]
    platform: NotRequired[str]
    deviceFamily: NotRequired[str]
    clientId: NotRequired[str]
    clientMode: NotRequired[str]
    remoteIp: NotRequired[str]
    role: NotRequired[str]
    roles: NotRequired[list[str]]
    scopes: NotRequired[list[str]]


class PendingDevice(DeviceFacts):
    """A device that waits for approval."""

    requestId: str
    silent: NotRequired[bool]
    isRepair: NotRequired[bool]
    ts: int


class TokenFacts(TypedDict):
    """A token of a device, without the token. Times in milliseconds."""

    role: str
    scopes: list[str]
    createdAtMs: int
    rotatedAtMs: NotRequired[int]
    revokedAtMs: NotRequired[int]
    lastUsedAtMs: NotRequired[int]


class PairedDevice(DeviceFacts):
    """A device that was let in."""

    createdAtMs: int
    approvedAtMs: int
    tokens: list[TokenFacts]
    operatorLabel: NotRequired[str]
    connected: NotRequired[bool]


class DeviceList(TypedDict):
    """Devices that wait, and those that were let in."""

    pending: list[PendingDevice]
    paired: list[PairedDevice]


class DeviceApproved(TypedDict):
    """The device that was let in."""

    requestId: str
    device: PairedDevice


class DeviceRejected(TypedDict):
    """The device that was sent away."""

    requestId: str
    deviceId: str


class DeviceRemoved(TypedDict):
    """The device that is no longer known."""

    deviceId: str


class DeviceRenamed(TypedDict):
    """The device and its new name."""

    deviceId: str
    label: str


class TokenRotated(TypedDict):
    """The new token of a device, shown this once."""

    deviceId: str
    role: str
    token: NotRequired[str]
    scopes: list[str]
    rotatedAtMs: int


class TokenRevoked(TypedDict):
    """The token that no longer works."""

    deviceId: str
    role: str
    revokedAtMs: int


class SetupCode(TypedDict):
    """A code with which one device can come in."""

    setupCode: str
    gatewayUrl: str
    expiresAtMs: int
    roles: list[str]
    scopes: list[str]
    qrDataUrl: NotRequired[str]
    qr: NotRequired[str]


class NodeFacts(TypedDict):
    """What a node said of itself."""

    nodeId: str
    displayName: NotRequired[str]
    platform: NotRequired[str]
    version: NotRequired[str]
    coreVersion: NotRequired[str]
    uiVersion: NotRequired[str]
    deviceFamily: NotRequired[str]
    modelIdentifier: NotRequired[str]
    clientId: NotRequired[str]
    clientMode: NotRequired[str]
    remoteIp: NotRequired[str]
    caps: NotRequired[list[str]]
    commands: NotRequired[list[str]]
    permissions: NotRequired[dict[str, bool]]


class Node(NodeFacts):
    """A node that is connected or was let in. Times in milliseconds."""

    paired: bool
    connected: bool
    approvalState: NotRequired[str]
    pendingRequestId: NotRequired[str]
    pendingDeclaredCaps: NotRequired[list[str]]
    pendingDeclaredCommands: NotRequired[list[str]]
    pathEnv: NotRequired[str]
    approvedAtMs: NotRequired[int]
    connectedAtMs: NotRequired[int]
    lastConnectedAtMs: NotRequired[int]
    lastSeenAtMs: NotRequired[int]
    lastSeenReason: NotRequired[str]
    nodePluginTools: NotRequired[list[Object]]
    hostStats: NotRequired[Object]


class NodeList(TypedDict):
    """All nodes, connected ones first."""

    ts: int
    nodes: list[Node]


class NodeDescribed(Node):
    """One node."""

    ts: int


class NodeRenamed(TypedDict):
    """A node and its name."""

    nodeId: str
    displayName: str


class NodeInvoked(TypedDict):
    """What a node answered; `payload` is `payloadJSON`, read."""

    ok: bool
    nodeId: str
    command: str
    payload: object
    payloadJSON: str | None


class NodeResultTaken(TypedDict):
    """Whether somebody still waited for it."""

    ok: bool
    ignored: NotRequired[bool]


class PendingNode(NodeFacts):
    """A node that waits for approval."""

    requestId: str
    silent: NotRequired[bool]
    ts: int
    requiredApproveScopes: NotRequired[list[str]]


class PairedNode(NodeFacts):
    """A node that was let in; its token is shown once, when it is."""

    token: NotRequired[str]
    createdAtMs: int
    approvedAtMs: int
    lastConnectedAtMs: NotRequired[int]


class NodePairings(TypedDict):
    """Nodes that wait, and those that were let in."""

    pending: list[PendingNode]
    paired: list[PairedNode]


class NodeAsked(TypedDict):
    """The request of a node; `created` when it is new."""

    status: str
    request: PendingNode
    created: bool


class NodeApproved(TypedDict):
    """The node that was let in."""

    requestId: str
    node: PairedNode


class NodeRejected(TypedDict):
    """The node that was sent away."""

    requestId: str
    nodeId: str


class NodeNamed(TypedDict):
    """The node it is about."""

    nodeId: str


class NodeVerified(TypedDict):
    """Whether a node's token is right."""

    ok: bool
    node: NotRequired[PairedNode]


class NodeWork(TypedDict):
    """Something a node is to do when it comes. Times in milliseconds."""

    id: str
    type: str
    priority: str
    createdAtMs: int
    expiresAtMs: int | None
    payload: NotRequired[Object]


class NodeDrained(TypedDict):
    """What waits for a node, the most urgent first."""

    nodeId: str
    revision: int
    items: list[NodeWork]
    hasMore: bool


class NodeQueued(TypedDict):
    """What waits for a node now."""

    nodeId: str
    revision: int
    queued: NodeWork
    wakeTriggered: bool


class NodeAction(TypedDict):
    """A command that waits for the app to be in front."""

    id: str
    command: str
    paramsJSON: str | None
    enqueuedAtMs: int


class NodeActions(TypedDict):
    """Commands that wait for the app to be in front."""

    nodeId: str
    actions: list[NodeAction]


class NodeAcknowledged(TypedDict):
    """What was done, and how much still waits."""

    nodeId: str
    ackedIds: list[str]
    remainingCount: int


class NodeTools(TypedDict):
    """The tools a node offers."""

    nodeId: str
    tools: list[Object]


class NodeSkills(TypedDict):
    """The skills a node offers."""

    nodeId: str
    skills: list[Object]


class NodeEventTaken(TypedDict):
    """Whether an event was looked at; `reason` says why not."""

    ok: bool
    event: NotRequired[str]
    handled: NotRequired[bool]
    reason: NotRequired[str]
