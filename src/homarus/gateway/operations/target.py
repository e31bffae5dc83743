"""Which session a call means."""

from __future__ import annotations

from homarus.errors import UserError
from homarus.gateway.operations.call import Call
from homarus.gateway.services import AgentFacts
from homarus.ids import AgentId
from homarus.protocol.errors import invalid
from homarus.sessions.keys import MAIN, SessionKey, parse_key


def default_agent(call: Call) -> AgentFacts:
    """Return the default agent."""
    return next(agent for agent in call.services.agents.list() if agent.is_default)


def find_agent(call: Call, agent_id: str) -> AgentFacts | None:
    """Return an agent by id, None when there is none."""
    wanted = agent_id.strip().lower()
    return next((agent for agent in call.services.agents.list() if agent.id == wanted), None)


def known_agent(call: Call, agent_id: str | None) -> AgentFacts:
    """Return an agent by id, the default for None. Raises ProtocolError for an unknown one."""
    if agent_id is None:
        return default_agent(call)
    found = find_agent(call, agent_id)
    if found is None:
        raise invalid(f'unknown agent id "{agent_id[:64]}"')
    return found


def read_key(call: Call, text: str, agent_id: str | None = None) -> SessionKey:
    """Return the canonical key of what a client wrote; a short key is one of `agent_id`, or of the default agent.

    Raises ProtocolError when it is malformed or belongs to another agent than `agent_id`.
    """
    wanted = default_agent(call).id if agent_id is None else agent_id.strip().lower()
    try:
        key = parse_key(text, AgentId(wanted))
    except UserError as error:
        raise invalid(f"{error.message}" + (f"; {error.fix}" if error.fix else "")) from error
    if agent_id is not None and key.agent_id != wanted:
        raise invalid("session key agent does not match agentId")
    return key


def runnable_key(call: Call, text: str, agent_id: str | None = None) -> SessionKey:
    """Return the key of a session that can be written to: its agent exists. Raises ProtocolError."""
    key = read_key(call, text, agent_id)
    known_agent(call, key.agent_id)
    return key


def main_key(agent: AgentFacts) -> SessionKey:
    """Return the main session of an agent."""
    return SessionKey(AgentId(agent.id), MAIN)
