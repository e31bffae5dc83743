from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import pytest

from homarus.config.issues import ConfigErrors
from homarus.config.load import load
from homarus.config.write import (
    backup_of,
    get_value,
    load_or_last_good,
    parse_place,
    set_value,
    unset,
    write_text_atomically,
)
from homarus.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "homarus.json"


def test_a_failure_before_the_rename_leaves_the_old_file_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text("{}")

    def fail(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ConfigError, match="No space left on device") as caught:
        write_text_atomically(path, '{"gateway": {}}')
    assert caught.value.fix is not None
    assert path.read_text() == "{}"
    assert [file.name for file in path.parent.iterdir()] == ["homarus.json"]


def test_files_are_private(path: Path) -> None:
    write_text_atomically(path, "{}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_setting_a_key_makes_its_objects_and_keeps_the_rest(path: Path) -> None:
    path.write_text('{"logging": {"level": "debug"}, "gateway": {"auth": {"token": "${T}"}}}')
    env = {"T": "x"}
    set_value(path, "gateway.port", 1234, env)
    set_value(path, 'models.providers["my.host"]', {"baseUrl": "http://h", "models": []}, env)
    set_value(path, "agents.list[0].id", "work", env)
    loaded = load(path, env)
    assert get_value(loaded.parsed, "gateway.auth.token") == "${T}"
    assert get_value(loaded.parsed, "agents.list[0]") == {"id": "work"}
    assert loaded.config.gateway.port == 1234
    assert loaded.config.logging.level == "debug"
    assert "my.host" in loaded.config.models.providers


def test_an_invalid_value_leaves_the_file_alone(path: Path) -> None:
    path.write_text("{} // mine")
    with pytest.raises(ConfigErrors, match=r"gateway\.port"):
        set_value(path, "gateway.port", "high", {})
    assert path.read_text() == "{} // mine"
    assert not backup_of(path).exists()


def test_the_result_says_when_comments_were_lost_and_the_backup_has_them(path: Path) -> None:
    path.write_text("{} // mine")
    assert set_value(path, "gateway.port", 5, {}).comments_lost
    assert backup_of(path).read_text() == "{} // mine"
    assert not set_value(path, "gateway.port", 6, {}).comments_lost


def test_unset_removes_a_key(path: Path) -> None:
    path.write_text('{"gateway": {"port": 5}, "bindings": [{"agentId": "a", "match": {"channel": "irc"}}]}')
    unset(path, "gateway.port", {})
    unset(path, "bindings[0]", {})
    assert load(path, {}).parsed == {"gateway": {}, "bindings": []}
    with pytest.raises(ConfigError, match="not set"):
        unset(path, "gateway.port", {})


@pytest.mark.parametrize("text", ["", "a[", "a[x]", 'a["b', "a.[0"])
def test_a_malformed_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_place(text)


def test_a_gap_in_a_list_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"agents\.list"):
        set_value(path, "agents.list[3].id", "x", {})


def test_a_broken_file_starts_from_the_last_good_copy_with_a_warning(path: Path) -> None:
    path.write_text('{"gateway": {"port": 5}}')
    assert not load_or_last_good(path, {}).is_recovered
    path.write_text('{"gateway": {"port": 5, "prot": 6}}')
    loaded = load_or_last_good(path, {})
    assert loaded.is_recovered
    assert loaded.config.gateway.port == 5
    assert "prot" in loaded.warnings[0]
    assert str(backup_of(path)) in loaded.warnings[0]
    assert "prot" in path.read_text()


def test_without_a_good_copy_or_permission_the_error_is_raised(path: Path) -> None:
    path.write_text("{")
    with pytest.raises(ConfigErrors):
        load_or_last_good(path, {})
    backup_of(path).write_text("{}")
    with pytest.raises(ConfigErrors):
        load_or_last_good(path, {}, may_recover=False)
