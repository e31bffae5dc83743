"""`browser.request`: what an operator wants of the browser on a node."""

from __future__ import annotations

from typing import Final

from homarus.errors import ProtocolError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.nodes import read_payload, send
from homarus.gateway.operations.registry import Post, operation
from homarus.nodes.desk import as_json
from homarus.nodes.invoke import NodeCommand
from homarus.nodes.registry import NodeSession
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.frames import JsonObject, as_object
from homarus.protocol.nodes import BrowserRequestParams
from homarus.protocol.scopes import Scope

COMMAND: Final = "browser.proxy"


@operation("browser.request", scope=Scope.WRITE, rest=Post("/api/browser"))
async def request_browser(call: Call, params: BrowserRequestParams) -> object:
    """Pass a request on to the browser of a node: the configured one, or the only one that has a browser."""
    session = _node(call)
    refusal = call.core.nodes.refusal(session, COMMAND)
    if refusal is not None:
        raise invalid(refusal.message, {"reason": refusal.reason, "command": COMMAND})
    wanted: JsonObject = params.model_dump(by_alias=True, exclude_none=True)
    key = call.services.clock.uuid()
    answer = read_payload(await send(call, session, NodeCommand(COMMAND, as_json(wanted), params.timeout_ms, key)))
    body = as_object(answer)
    return body["result"] if body is not None and "result" in body else answer


def _node(call: Call) -> NodeSession:
    """Return the node whose browser is meant. Raises ProtocolError when there is none, or several."""
    chosen = call.services.config.current.config.gateway.nodes.browser
    if chosen.mode == "off":
        raise _absent("gateway.nodes.browser.mode is off")
    found = [each for each in call.core.nodes.registry.list() if COMMAND in each.declared.commands]
    if chosen.node is not None:
        found = [each for each in found if each.node_id == chosen.node]
    elif chosen.mode == "manual":
        raise _absent("set gateway.nodes.browser.node to the id of a node")
    if not found:
        raise _absent("no node with a browser is connected; start one with its browser switched on")
    if len(found) > 1:
        raise invalid("several nodes have a browser; set gateway.nodes.browser.node to the id of one")
    return found[0]


def _absent(fix: str) -> ProtocolError:
    return unavailable(f"browser control is not available: {fix}")
