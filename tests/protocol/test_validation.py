from __future__ import annotations

from typing import Any

import pytest

from homarus.errors import ProtocolError
from homarus.protocol.base import Params
from homarus.protocol.chat import ChatSendParams
from homarus.protocol.handshake import ConnectParams
from homarus.protocol.health import LogsTailParams
from homarus.protocol.sessions import SessionsPatchParams, SessionsPreviewParams
from homarus.protocol.validation import parse_params

CONNECT: dict[str, Any] = {
    "minProtocol": 3,
    "maxProtocol": 3,
    "client": {"id": "cli", "version": "1", "platform": "linux", "mode": "cli"},
}
SEND = {"sessionKey": "main", "message": "x", "idempotencyKey": "k"}


CASES: list[tuple[type[Params], Any, str]] = [
        (ConnectParams, {**CONNECT, "client": None}, "at /client: must be object"),
        (ConnectParams, {"bogus": 1, "minProtocol": 3, "maxProtocol": 3},
         "must have required property 'client'; at root: unexpected property 'bogus'"),
        (ConnectParams, {**CONNECT, "client": {**CONNECT["client"], "x": 1}}, "at /client: unexpected property 'x'"),
        (ConnectParams, {**CONNECT, "client": {"id": "cli", "version": "1", "mode": "cli"}},
         "at /client: must have required property 'platform'"),
        (ConnectParams, {**CONNECT, "minProtocol": 0}, "at /minProtocol: must be >= 1"),
        (ConnectParams, {**CONNECT, "minProtocol": "3"}, "at /minProtocol: must be integer"),
        (ConnectParams, {**CONNECT, "scopes": [""]}, "at /scopes/0: must NOT have fewer than 1 characters"),
        (ConnectParams, {**CONNECT, "permissions": {"a": 1}}, "at /permissions/a: must be boolean"),
        (ChatSendParams, {"bogus": 1},
         ("must have required property 'sessionKey'; must have required property 'message'; "
          "must have required property 'idempotencyKey'; at root: unexpected property 'bogus'")),
        (ChatSendParams, {**SEND, "sessionKey": "x" * 513}, "at /sessionKey: must NOT have more than 512 characters"),
        (ChatSendParams, {**SEND, "message": 5}, "at /message: must be string"),
        (ChatSendParams, {**SEND, "attachments": {}}, "at /attachments: must be array"),
        (ChatSendParams, {**SEND, "timeoutMs": -1}, "at /timeoutMs: must be >= 0"),
        (LogsTailParams, {"limit": 9999}, "at /limit: must be <= 5000"),
        (SessionsPreviewParams, {"keys": []}, "at /keys: must NOT have fewer than 1 items"),
        (SessionsPatchParams, {"key": "main", "sendPolicy": "maybe"},
         "at /sendPolicy: must be equal to constant; at /sendPolicy: must match a schema in anyOf"),
        (ChatSendParams, 5, "must be object"),
    ]  # fmt: skip


@pytest.mark.parametrize(("model", "params", "problem"), CASES)
def test_problem_is_worded_as_clients_know_it(model: type[Params], params: object, problem: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_params(model, "m", params)
    assert caught.value.message == f"invalid m params: {problem}"
    assert caught.value.code == "INVALID_REQUEST"


def test_values_are_never_repeated_and_long_names_are_cut() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_params(ConnectParams, "m", {**CONNECT, "x" * 10_000: 1, "auth": {"token": {"secret": "hunter2"}}})
    assert "hunter2" not in caught.value.message
    assert len(caught.value.message) < 400


def test_null_in_a_patch_differs_from_absence() -> None:
    params = parse_params(SessionsPatchParams, "m", {"key": "main", "label": None})
    assert params.model_fields_set == {"key", "label"}


def test_version_4_words_choices_in_its_own_way() -> None:
    params = {**CONNECT, "client": {**CONNECT["client"], "id": "someone-else"}}
    with pytest.raises(ProtocolError) as caught:
        parse_params(ConnectParams, "connect", params, protocol=4)
    problem = "at /client/id: must be equal to one of the allowed values"
    assert caught.value.message == f"invalid connect params: {problem}"


def test_open_parameters_leave_out_what_is_not_known_at_any_depth() -> None:
    params = {**CONNECT, "later": 1, "client": {**CONNECT["client"], "later": 2}}
    assert parse_params(ConnectParams, "connect", params, is_open=True).client.id == "cli"
    wrong = {**CONNECT, "client": {**CONNECT["client"], "mode": "later"}}
    with pytest.raises(ProtocolError, match="at /client/mode: must be equal"):
        parse_params(ConnectParams, "connect", wrong, is_open=True)
