from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from homarus.protocol.scopes import (
    ALL_SCOPES,
    Scope,
    common_scopes,
    has_scope,
    missing_scopes,
    normalise_scopes,
    scopes_of_role,
)
from homarus.protocol.versions import negotiate

SCOPES = st.sets(st.sampled_from(sorted(Scope)))


def test_admin_implies_all_and_write_implies_read() -> None:
    assert all(has_scope({"operator.admin"}, scope) for scope in ALL_SCOPES)
    assert has_scope({"operator.write"}, "operator.read")
    assert not has_scope({"operator.read"}, "operator.write")
    assert not has_scope({"operator.admin"}, "node.exec")
    assert not has_scope((), "operator.read")


def test_write_covers_talk_and_sessions_but_neither_approvals_nor_questions_nor_pairing() -> None:
    covered = {scope for scope in Scope if has_scope({"operator.write"}, scope)}
    assert covered == {Scope.WRITE, Scope.READ, Scope.TALK, Scope.SESSIONS_READ, Scope.SESSIONS_WRITE}
    assert {scope for scope in Scope if has_scope({"operator.read"}, scope)} == {Scope.READ, Scope.SESSIONS_READ}
    sessions = {scope for scope in Scope if has_scope({"operator.sessions.write"}, scope)}
    assert sessions == {Scope.SESSIONS_READ, Scope.SESSIONS_WRITE}


@example({Scope.READ}, {Scope.SESSIONS_WRITE})
@given(SCOPES, SCOPES)
def test_what_two_grants_have_in_common_is_covered_by_both(one: set[str], other: set[str]) -> None:
    common = common_scopes(sorted(one), other)
    assert missing_scopes(one, common) == missing_scopes(other, common) == []
    for scope in Scope:
        assert has_scope(common, scope) == (has_scope(one, scope) and has_scope(other, scope))


@given(SCOPES, SCOPES)
def test_more_scopes_never_allow_less(granted: set[str], more: set[str]) -> None:
    for scope in ALL_SCOPES:
        assert not has_scope(granted, scope) or has_scope(granted | more, scope)


@given(SCOPES)
def test_normalising_adds_what_is_implied_and_nothing_else(scopes: set[str]) -> None:
    stored = normalise_scopes(scopes)
    assert stored == sorted(set(stored))
    assert missing_scopes(scopes, stored) == []
    assert normalise_scopes(stored) == stored


def test_roles_hold_only_scopes_of_their_own() -> None:
    assert scopes_of_role("node", ["operator.admin", "node.x"]) == ["node.x"]
    assert scopes_of_role("operator", ["operator.write", "node.x"]) == ["operator.read", "operator.write"]


def test_negotiation_takes_the_newest_common_version() -> None:
    assert negotiate(3, 4) == 4
    assert negotiate(2, 4) == 3
    assert negotiate(3, 3) == 3
    assert negotiate(4, 9) == 4
    assert negotiate(1, 2) is None
    assert negotiate(5, 9) is None
    assert negotiate(4, 3) is None
