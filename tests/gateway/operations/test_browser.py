from __future__ import annotations

import json
from typing import Any

from tests.gateway.conftest import Running
from tests.gateway.operations.test_nodes_v4 import V4, approve, host
from tests.gateway.raw_client import connected

from homarus.protocol.device_identity import DeviceIdentity

ASK: dict[str, Any] = {"method": "GET", "path": "/tabs", "timeoutMs": 5000}


async def test_a_request_goes_to_the_browser_of_the_node_that_has_one(gateway: Running) -> None:
    identity = DeviceIdentity.generate()
    async with connected(gateway.url, **V4) as operator, host(gateway, identity, "browser.proxy") as box:
        early = (await operator.call("browser.request", ASK))["error"]
        assert early["details"]["reason"] == "command not approved"
        await approve(operator)
        await operator.send({"type": "req", "id": "b", "method": "browser.request", "params": ASK})
        asked = await box.event("node.invoke.request")
        assert (asked["command"], json.loads(asked["paramsJSON"])) == ("browser.proxy", ASK)
        done = {"id": asked["id"], "nodeId": identity.id, "ok": True, "payloadJSON": '{"result":{"tabs":[]}}'}
        await box.call("node.invoke.result", done)
        assert (await operator.answer_to("b"))["payload"] == {"tabs": []}


async def test_without_a_browser_or_with_several_the_way_out_is_said(gateway: Running) -> None:
    async with connected(gateway.url, **V4) as operator:
        none = (await operator.call("browser.request", ASK))["error"]
        assert (none["code"], "no node with a browser is connected" in none["message"]) == ("UNAVAILABLE", True)
        one, other = DeviceIdentity.generate(), DeviceIdentity.generate()
        async with host(gateway, one, "browser.proxy"), host(gateway, other, "browser.proxy"):
            several = (await operator.call("browser.request", ASK))["error"]
            assert "gateway.nodes.browser.node" in several["message"]
