from __future__ import annotations

import pytest

from homarus.channels.irc.sasl import Challenges, Plain, ScramSha256, pieces
from homarus.errors import AuthFailed

SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"


def test_scram_gives_the_messages_of_rfc_7677() -> None:
    scram = ScramSha256("user", "pencil", "rOprNGfwEbeRWgbNEkqO")
    assert scram.respond(b"") == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert scram.respond(SERVER_FIRST) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert scram.respond(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == b""
    assert scram.is_verified


@pytest.mark.parametrize(
    "first", [b"r=other,s=W22Z,i=4096", SERVER_FIRST.replace(b"4096", b"1"), SERVER_FIRST.replace(b"W22Z", b"!!!"),
              SERVER_FIRST.replace(b"4096", b"99999999"), b"", b"\xff"]
)  # fmt: skip
def test_scram_refuses_a_server_that_does_not_follow_the_rules(first: bytes) -> None:
    scram = ScramSha256("user", "pencil", "rOprNGfwEbeRWgbNEkqO")
    scram.respond(b"")
    with pytest.raises(AuthFailed):
        scram.respond(first)


def test_scram_refuses_a_server_that_does_not_know_the_password() -> None:
    scram = ScramSha256("user", "pencil", "rOprNGfwEbeRWgbNEkqO")
    scram.respond(b"")
    scram.respond(SERVER_FIRST)
    with pytest.raises(AuthFailed, match="could not prove"):
        scram.respond(b"v=AAAA")
    assert not scram.is_verified


def test_responses_go_in_pieces_of_400_with_an_end_mark() -> None:
    assert pieces(b"") == ["+"]
    assert pieces(Plain("homarus", "pier-9").respond(b"")) == ["AGhvbWFydXMAcGllci05"]
    assert [len(piece) for piece in pieces(b"x" * 300)] == [400, 1]
    assert [len(piece) for piece in pieces(b"x" * 301)] == [400, 4]


def test_challenges_are_joined_from_their_pieces() -> None:
    challenges = Challenges()
    sent = pieces(b"y" * 450)
    assert [challenges.feed(piece) for piece in sent] == [None, b"y" * 450]
    assert challenges.feed("+") == b""
    with pytest.raises(AuthFailed, match="no base64"):
        challenges.feed("?")
