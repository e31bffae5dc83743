from __future__ import annotations

import re

import pytest

from homarus.channels.contract import ChatKind, Inbound
from homarus.channels.irc.inbound import Reader
from homarus.channels.irc.settings import Settings
from homarus.channels.irc.view import View
from homarus.channels.irc.wire import parse
from homarus.ids import Address
from homarus.testing.manual_clock import ManualClock

SETTINGS = Settings("default", "irc.test", 6697, True, "homarus", "homarus", "Homarus",
                    mention_patterns=(re.compile(r"\blobster\b", re.IGNORECASE),))  # fmt: skip
START = 1_763_712_000_000  # 2025-11-21T08:00:00Z


@pytest.fixture
def view() -> View:
    view = View("homarus", connected_at=START)
    view.isupport.update(["STATUSMSG=@"])
    return view


def read(raw: str, view: View) -> Inbound | None:
    return Reader(SETTINGS, ManualClock(now_ms=START), lambda msgid: msgid == "mine").message(parse(raw.encode()), view)


def message(raw: str, view: View) -> Inbound:
    found = read(raw, view)
    assert found is not None
    return found


def test_a_direct_message_is_from_the_folded_nick(view: View) -> None:
    found = message(":Ines[x]!~I@Boat.example PRIVMSG Homarus :hi", view)
    assert found.address == Address("irc", "default", "ines{x}")
    assert found.kind is ChatKind.DIRECT
    assert found.sender.id == "ines{x}!~i@boat.example"
    assert found.sender.aliases == ("ines{x}!~i", "ines{x}@boat.example")
    assert found.sender.name == "Ines[x]"


def test_the_bare_nick_is_no_identity(view: View) -> None:
    sender = message(":ines!~i@boat PRIVMSG homarus :hi", view).sender
    assert "ines" not in (sender.id, *sender.aliases)


def test_the_services_account_is_the_identity_when_the_server_vouches_for_it(view: View) -> None:
    raw = "@account=Ines :nick!~i@boat PRIVMSG homarus :hi"
    assert message(raw, view).sender.id == "nick!~i@boat"  # the tag was not negotiated: anybody may have made it up
    view.caps.add("account-tag")
    sender = message(raw, view).sender
    assert sender.id == "account:ines"
    assert sender.aliases[0] == "nick!~i@boat"
    assert message(":nick!~i@boat PRIVMSG homarus :hi", view).sender.id == "nick!~i@boat"


def test_an_account_seen_at_a_join_holds_only_while_we_share_a_channel(view: View) -> None:
    view.caps |= {"extended-join", "account-notify"}
    view.roster.join("ines", "#pier", "ines")
    raw = ":ines!~i@boat PRIVMSG homarus :hi"
    assert message(raw, view).sender.id == "account:ines"
    view.roster.leave("ines", "#pier")
    assert message(raw, view).sender.id == "ines!~i@boat"


@pytest.mark.parametrize(
    ("text", "is_mentioned", "rest"),
    [
        ("homarus: tide?", True, "tide?"),
        ("HOMARUS, tide?", True, "tide?"),
        ("what does homarus say", True, "what does homarus say"),
        ("the lobster knows", True, "the lobster knows"),
        ("homarus:", True, "homarus:"),
        ("hello all", False, "hello all"),
        ("homarus_ is another", False, "homarus_ is another"),
    ],
)
def test_a_channel_message_says_whether_we_are_addressed(view: View, text: str, is_mentioned: bool, rest: str) -> None:
    found = message(f":ines!~i@boat PRIVMSG #Pier :{text}", view)
    assert found.kind is ChatKind.GROUP
    assert found.address.chat == "#pier"
    assert (found.is_mentioned, found.text) == (is_mentioned, rest)


def test_a_message_to_the_operators_is_answered_to_the_operators(view: View) -> None:
    assert message(":ines!~i@boat PRIVMSG @#pier :psst", view).address == Address("irc", "default", "#pier", "@")


def test_formatting_codes_are_taken_out(view: View) -> None:
    found = message(":a!b@c PRIVMSG homarus :\x02bold\x02 \x0304,12red\x03 \x04ff00ffhex\x0f \x1dit", view)
    assert found.text == "bold red hex it"


def test_an_action_is_told_as_one_and_other_requests_are_no_messages(view: View) -> None:
    assert message(":a!b@c PRIVMSG homarus :\x01ACTION waves\x01", view).text == "* a waves"
    assert read(":a!b@c PRIVMSG homarus :\x01VERSION\x01", view) is None
    assert read(":a!b@c PRIVMSG homarus :\x02\x02", view) is None
    assert read(":irc.test PRIVMSG homarus :from a server", view) is None
    assert read(":a!b@c PRIVMSG somebody :not for us", view) is None


def test_an_answer_to_one_of_our_lines_is_known(view: View) -> None:
    found = message("@+reply=mine :a!b@c PRIVMSG #pier :thanks", view)
    assert found.is_reply_to_me
    assert found.reply_to == "mine"
    assert not message("@+draft/reply=other :a!b@c PRIVMSG #pier :thanks", view).is_reply_to_me


def test_a_message_id_is_taken_over_and_else_one_is_made(view: View) -> None:
    assert message("@msgid=7Qw1 :a!b@c PRIVMSG homarus :hi", view).external_id == "7Qw1"
    reader = Reader(SETTINGS, ManualClock(), lambda _: False)
    line = parse(b":a!b@c PRIVMSG homarus :hi")
    first, second = reader.message(line, view), reader.message(line, view)
    assert first is not None
    assert second is not None
    assert first.external_id != second.external_id


@pytest.mark.parametrize(
    ("tags", "is_read"),
    [
        ("time=2025-11-21T07:59:00Z", False),  # older than our welcome, and cannot be told from an answered one
        ("time=2025-11-21T07:59:00Z;msgid=x", True),  # the journal knows whether it was answered
        ("time=2025-11-21T07:40:00Z;msgid=x", False),  # too old to answer
        ("time=2025-11-21T08:00:01Z", True),
        ("time=nonsense", True),
        ("batch=inner", False),
        ("batch=other", True),
    ],
)
def test_lines_played_back_are_not_answered_twice(view: View, tags: str, is_read: bool) -> None:
    view.note_batch(parse(b"BATCH +outer chathistory #pier"))
    view.note_batch(parse(b"@batch=outer BATCH +inner draft/multiline #pier"))
    view.note_batch(parse(b"BATCH +other netjoin"))
    assert (read(f"@{tags} :a!b@c PRIVMSG homarus :hi", view) is not None) is is_read


def test_a_bot_is_said_to_be_one(view: View) -> None:
    assert message("@bot :a!b@c PRIVMSG homarus :hi", view).sender.is_bot
