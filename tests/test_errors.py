from __future__ import annotations

from homarus.errors import AuthFailed, HomarusError, Transient, first_error


def test_the_first_kind_there_is_explains_a_group_however_deep_it_is() -> None:
    refused, lost, bug = AuthFailed("no"), Transient("gone"), ValueError("bug")
    group = ExceptionGroup("", [bug, ExceptionGroup("", [lost, ExceptionGroup("", [refused])])])
    assert first_error(group, AuthFailed, Transient) is refused
    assert first_error(group, Transient, AuthFailed) is lost
    assert first_error(group, HomarusError) is lost
    assert first_error(group) is bug


def test_a_group_without_the_kinds_is_explained_by_its_first_error() -> None:
    first = KeyError("x")
    assert first_error(ExceptionGroup("", [ExceptionGroup("", [first]), ValueError("y")]), AuthFailed) is first
