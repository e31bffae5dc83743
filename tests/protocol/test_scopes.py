from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from homarus.protocol.scopes import ALL_SCOPES, has_scope, missing_scopes, normalise_scopes, scopes_of_role
from homarus.protocol.versions import negotiate

SCOPES = st.sets(st.sampled_from(ALL_SCOPES))


def test_admin_implies_all_and_write_implies_read() -> None:
    assert all(has_scope({"operator.admin"}, scope) for scope in ALL_SCOPES)
    assert has_scope({"operator.write"}, "operator.read")
    assert not has_scope({"operator.read"}, "operator.write")
    assert not has_scope({"operator.admin"}, "node.exec")
    assert not has_scope((), "operator.read")


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
    assert negotiate(2, 4) == 3
    assert negotiate(3, 3) == 3
    assert negotiate(1, 2) is None
    assert negotiate(4, 9) is None
