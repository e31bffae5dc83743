"""`bindings[]`: which agent answers which chats."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import Discriminator, Tag

from homarus.config.base import Many, Section, section

PeerKind = Literal["direct", "group", "channel", "dm"]


class Peer(Section):
    """One chat."""

    kind: PeerKind
    """Kind of chat; `dm` is the older name of `direct`."""
    id: str
    """Id of the chat on its platform, `*` for any."""


class BindingMatch(Section):
    """Conditions; all that are given must hold."""

    channel: str
    """Channel id."""
    account_id: str | None = None
    """Account on that channel; unset: the default account, `*`: any."""
    peer: Peer | None = None
    """One chat."""
    guild_id: str | None = None
    """Server id (Discord)."""
    team_id: str | None = None
    """Workspace id (Slack)."""
    roles: Many[str] = ()
    """Sender roles, any of them."""


class RouteBinding(Section):
    """Messages that match go to this agent."""

    type: Literal["route"] = "route"
    """Kind of binding."""
    agent_id: str
    """Agent that answers."""
    comment: str | None = None
    """Note without effect."""
    match: BindingMatch
    """Conditions."""


class AcpOptions(Section):
    """How the external agent is run."""

    mode: Literal["persistent", "oneshot"] | None = None
    """Keep the process, or start it per message."""
    label: str | None = None
    """Display name."""
    cwd: str | None = None
    """Working folder."""
    backend: str | None = None
    """Backend id."""


class AcpBinding(Section):
    """One chat is handed to an external agent that speaks ACP."""

    type: Literal["acp"]
    """Kind of binding."""
    agent_id: str
    """Agent whose runtime is used."""
    comment: str | None = None
    """Note without effect."""
    match: BindingMatch
    """Conditions; the chat must be named."""
    acp: AcpOptions = section()
    """How the external agent is run."""


def _kind(value: object) -> str:
    kind = cast("dict[str, object]", value).get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return "acp" if kind == "acp" else "route"


Binding = Annotated[
    Annotated[RouteBinding, Tag("route")] | Annotated[AcpBinding, Tag("acp")],
    Discriminator(_kind),
]
