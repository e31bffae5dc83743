"""Where an answer or an alert goes."""

from __future__ import annotations

from homarus.automation.contract import Post
from homarus.errors import UserError
from homarus.ids import Address, AgentId
from homarus.sessions.keys import MAIN, SessionKey
from homarus.storage import sessions
from homarus.storage.database import Connection, Database
from homarus.storage.records import SessionFilter

NEWEST = 50
"""Sessions looked through for the last chat."""


class Routes:
    """Finds addresses."""

    def __init__(self, database: Database, post: Post) -> None:
        self._database = database
        self._post = post

    async def find(self, agent: AgentId, channel: str | None, to: str | None, account: str | None) -> Address:
        """Return the named place, the channel's usual one, or the chat the agent answered last.

        Raises UserError when nothing can be sent.
        """
        if channel is not None and channel != "last" and to is None:
            usual = self._post.usual_chat(channel, account)
            if usual is not None:
                return usual
        if channel in {None, "last"} or to is None:
            last = await self.last(agent)
            if last is None:
                text = "Channel is required: the agent has answered no chat yet"
                raise UserError(text, fix="name --channel and --to")
            return last
        name = self._post.find(channel or "", account)
        if name is None:
            raise UserError(f"the channel {channel!r} cannot be used", fix="see `homarus channels status`")
        return Address(channel or "", name, to)

    async def last(self, agent: AgentId) -> Address | None:
        """Return the chat the agent answered last, that of its main session before others."""
        found = await self._database.read(_last_address, agent)
        if found is None or self._post.find(found.channel, found.account) is None:
            return None
        return found

    async def is_group(self, address: Address) -> bool:
        """Tell whether a chat is a group, as far as sessions tell; one that is unknown counts as a person."""
        return await self._database.read(_is_group, address)


def _is_group(connection: Connection, address: Address) -> bool:
    newest = sessions.select_sessions(connection, SessionFilter(limit=NEWEST))
    return any(each.kind == "group" and each.address == address for each in newest)


def _last_address(connection: Connection, agent: AgentId) -> Address | None:
    main = sessions.select_session(connection, str(SessionKey(agent, MAIN)))
    if main is not None and main.address is not None:
        return main.address
    newest = sessions.select_sessions(connection, SessionFilter(agent_id=agent, limit=NEWEST))
    own = f"agent:{agent}:cron:"
    chats = (each.address for each in newest if each.kind == "direct" and not each.key.startswith(own))
    return next((address for address in chats if address is not None), None)
