"""What a chat page offers: models to choose from and orders to type."""

from __future__ import annotations

from homarus.gateway.model_rows import model_rows
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, operation
from homarus.gateway.operations.target import known_agent, read_key
from homarus.pipeline.orders import ORDER_WORDS, OrderWord
from homarus.protocol.chat import ChatMetadata, ChatMetadataParams, CommandsList, CommandsListParams
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope


@operation("chat.metadata", scope=Scope.READ)
async def metadata(call: Call, params: ChatMetadataParams) -> ChatMetadata:
    """Return the models a session can be switched to and the orders a chat understands."""
    agent_id = params.agent_id
    if params.session_key is not None:
        agent_id = read_key(call, params.session_key, params.agent_id).agent_id
    known_agent(call, agent_id)
    return metadata_json(call)


@operation("commands.list", scope=Scope.READ, rest=Get("/api/commands"))
async def list_commands(call: Call, params: CommandsListParams) -> CommandsList:
    """List the orders a chat understands without a model."""
    known_agent(call, params.agent_id)
    if params.scope == "native":
        return {"commands": []}
    return {"commands": _commands(has_arguments=params.include_args is not False)}


def metadata_json(call: Call) -> ChatMetadata:
    """Return the models and orders every agent has."""
    return {"models": model_rows(call.services), "commands": _commands(has_arguments=True), "swarmEnabled": False}


def _commands(*, has_arguments: bool) -> list[JsonObject]:
    return [_command(each, has_arguments=has_arguments) for each in ORDER_WORDS]


def _command(order: OrderWord, *, has_arguments: bool) -> JsonObject:
    command: JsonObject = {
        "name": order.words[0].removeprefix("/"),
        "textAliases": list(order.words),
        "description": order.about,
        "category": order.category,
        "source": "native",
        "scope": "text",
        "acceptsArgs": order.takes_text,
    }
    if order.takes_text and has_arguments:
        command["args"] = [{"name": "message", "description": "The first message", "type": "string"}]
    return command
