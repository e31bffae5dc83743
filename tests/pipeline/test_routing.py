from __future__ import annotations

import pytest

from homarus.channels.contract import ChatKind, Inbound, Sender
from homarus.config.schema import Config
from homarus.ids import Address
from homarus.pipeline.routing import route

AGENTS = {"list": [{"id": "main", "default": True}, {"id": "work"}, {"id": "kids"}]}


def key(
    config: dict[str, object],
    *,
    chat: str = "ann",
    kind: ChatKind = ChatKind.DIRECT,
    account: str = "default",
    thread: str | None = None,
) -> str:
    message = Inbound(Address("irc", account, chat, thread), "1", Sender("Ann!a@h"), kind, "hi")
    return str(route(message, Config.model_validate(config)).session_key)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("main", "agent:main:main"),
        ("per-peer", "agent:main:direct:ann!a@h"),
        ("per-channel-peer", "agent:main:irc:direct:ann!a@h"),
        ("per-account-channel-peer", "agent:main:irc:default:direct:ann!a@h"),
    ],
)
def test_direct_chats_are_separated_as_configured(scope: str, expected: str) -> None:
    assert key({"session": {"dmScope": scope}}) == expected


def test_one_person_on_several_channels_can_share_a_session() -> None:
    config: dict[str, object] = {"session": {"dmScope": "per-peer", "identityLinks": {"ann": ["irc:Ann!a@h"]}}}
    assert key(config) == "agent:main:direct:ann"


def test_topics_of_a_direct_chat_have_sessions_of_their_own() -> None:
    assert key({}, chat="12", thread="7") == "agent:main:main:thread:12:7"
    scope: dict[str, object] = {"session": {"dmScope": "per-channel-peer"}}
    assert key(scope, chat="12", thread="7") == "agent:main:irc:direct:ann!a@h:thread:7"


def test_groups_and_their_threads_have_sessions_of_their_own() -> None:
    assert key({}, chat="#Pier", kind=ChatKind.GROUP) == "agent:main:irc:group:#pier"
    assert key({}, chat="#Pier", kind=ChatKind.GROUP, thread="7") == "agent:main:irc:group:#pier:thread:7"


def test_the_most_specific_binding_wins() -> None:
    bindings = [
        {"agentId": "work", "match": {"channel": "irc", "accountId": "*"}},
        {"agentId": "kids", "match": {"channel": "irc", "accountId": "*", "peer": {"kind": "group", "id": "#fun"}}},
        {"agentId": "main", "match": {"channel": "irc", "accountId": "second"}},
    ]
    config: dict[str, object] = {"agents": AGENTS, "bindings": bindings}
    assert key(config).startswith("agent:work:")
    assert key(config, chat="#fun", kind=ChatKind.GROUP).startswith("agent:kids:")
    assert key(config, account="second").startswith("agent:main:")


def test_a_binding_without_an_account_means_the_default_account() -> None:
    config: dict[str, object] = {"agents": AGENTS, "bindings": [{"agentId": "work", "match": {"channel": "irc"}}]}
    assert key(config).startswith("agent:work:")
    assert key(config, account="other").startswith("agent:main:")
