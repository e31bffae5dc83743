"""Which agent answers, in which session: a pure function of the bindings, the address and the sender."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from homarus.channels.contract import ChatKind, Inbound
from homarus.config.bindings import BindingMatch, RouteBinding
from homarus.config.schema import Config
from homarus.ids import AgentId
from homarus.sessions.keys import SessionKey

DEFAULT_ACCOUNT = "default"


class Route(Struct, frozen=True):
    """Where a message goes."""

    agent_id: AgentId
    session_key: SessionKey


def route(message: Inbound, config: Config, own: str | None = None) -> Route:
    """Return the route of a message: the agent its topic names (`own`), the most specific binding, else the default."""
    named = AgentId(own.lower()) if own else _bound_agent(message, config)
    agent_id = named or AgentId(config.agents.default_id)
    return Route(agent_id, SessionKey(agent_id, _rest(message, config)))


def _bound_agent(message: Inbound, config: Config) -> AgentId | None:
    ranked = [
        (_rank(binding.match), -index, binding.agent_id)
        for index, binding in enumerate(_routes(config.bindings))
        if _is_match(binding.match, message)
    ]
    return AgentId(max(ranked)[2].lower()) if ranked else None


def _routes(bindings: Sequence[object]) -> Iterable[RouteBinding]:
    return (binding for binding in bindings if isinstance(binding, RouteBinding))


def _rank(match: BindingMatch) -> int:
    has_account = match.account_id is not None and match.account_id != "*"
    has_chat = match.peer is not None and match.peer.id != "*"
    return 4 * has_chat + 2 * (match.peer is not None) + has_account


def _is_match(match: BindingMatch, message: Inbound) -> bool:
    if match.channel != message.address.channel:
        return False
    if match.account_id != "*" and (match.account_id or DEFAULT_ACCOUNT) != message.address.account:
        return False
    if match.guild_id or match.team_id or match.roles:
        return False
    return match.peer is None or (_kind(match.peer.kind) is message.kind and _is_peer(match.peer.id, message))


def _is_peer(peer_id: str, message: Inbound) -> bool:
    names = {message.address.chat.casefold()}
    if message.kind is ChatKind.DIRECT:
        names.add(message.sender.id.casefold())
    return peer_id == "*" or peer_id.casefold() in names


def _kind(kind: str) -> ChatKind:
    return ChatKind.DIRECT if kind in {"direct", "dm"} else ChatKind.GROUP


def _rest(message: Inbound, config: Config) -> str:
    address = message.address
    if message.kind is ChatKind.GROUP:
        thread = f":thread:{address.thread}" if address.thread else ""
        return f"{address.channel}:group:{address.chat}{thread}".lower()
    peer = _linked(message, config) or message.sender.id
    match config.session.dm_scope:
        case "main":
            rest = "main"
        case "per-peer":
            rest = f"direct:{peer}"
        case "per-channel-peer":
            rest = f"{address.channel}:direct:{peer}"
        case "per-account-channel-peer":
            rest = f"{address.channel}:{address.account}:direct:{peer}"
    if address.thread:
        # Everybody's direct chats share the main session, so there the number of a topic says nothing without its chat.
        rest += f":thread:{address.chat}:{address.thread}" if rest == "main" else f":thread:{address.thread}"
    return rest.lower()


def _linked(message: Inbound, config: Config) -> str | None:
    if not config.session.identity_links:
        return None
    known = {message.sender.id.casefold(), f"{message.address.channel}:{message.sender.id}".casefold()}
    for name, ids in config.session.identity_links.items():
        if any(candidate.casefold() in known for candidate in ids):
            return name
    return None
