from __future__ import annotations

import json
import os
from pathlib import Path
from typing import cast

import pytest

from homarus.cli.exits import ExitCode
from homarus.cli.main import run


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in list(os.environ):
        if name.startswith(("HOMARUS_", "OPENCLAW_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOMARUS_HOME", str(tmp_path))
    return tmp_path


def written(home: Path) -> dict[str, object]:
    return cast("dict[str, object]", json.loads((home / "homarus.json").read_text()))


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("gateway.port", "18800", 18800),
        ("logging.file", "/tmp/some where.log", "/tmp/some where.log"),
        ("gateway.controlUi.enabled", "false", False),
    ],
)
def test_a_value_is_set_and_can_be_read(
    home: Path, key: str, text: str, value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "set", key, text]) == ExitCode.OK
    capsys.readouterr()
    assert run(["config", "get", key, "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == value


def test_json5_is_understood(home: Path) -> None:
    assert run(["config", "set", "channels.irc", '{host: "irc.example", nick: "bot", port: 6667,}']) == ExitCode.OK
    assert written(home)["channels"] == {"irc": {"host": "irc.example", "nick": "bot", "port": 6667}}


def test_broken_json5_is_not_taken_for_text(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "set", "channels.irc", '{host: "irc.example"']) == ExitCode.CONFIG
    assert not (home / "homarus.json").exists()


def test_a_change_that_would_be_invalid_changes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["config", "set", "gateway.port", "18800"])
    capsys.readouterr()
    assert run(["config", "set", "gateway.port", "99999"]) == ExitCode.CONFIG
    shown = capsys.readouterr().err
    assert "gateway.port" in shown
    assert "nothing was changed" in shown
    assert written(home) == {"gateway": {"port": 18800}}


def test_a_key_is_removed(home: Path) -> None:
    run(["config", "set", "gateway.port", "18800"])
    assert run(["config", "unset", "gateway.port"]) == ExitCode.OK
    assert written(home) == {"gateway": {}}


def test_secrets_are_hidden_unless_asked_for(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["config", "set", "gateway.auth.token", "very-secret-token"])
    capsys.readouterr()
    run(["config", "get"])
    run(["config", "get", "gateway.auth.token"])
    assert "very-secret-token" not in capsys.readouterr().out
    run(["config", "get", "gateway.auth.token", "--reveal"])
    assert capsys.readouterr().out.strip() == "very-secret-token"


def test_all_problems_of_a_file_are_shown_at_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "homarus.json").write_text('{"gateway": {"prt": 1, "bind": "nowhere"}, "agent": {}}')
    assert run(["config", "validate"]) == ExitCode.CONFIG
    shown = capsys.readouterr().err
    assert [key for key in ("gateway.prt", "gateway.bind", "agent") if key not in shown] == []


def test_problems_come_as_json_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "homarus.json").write_text('{"gateway": {"prt": 1}}')
    assert run(["config", "validate", "--json"]) == ExitCode.CONFIG
    answer = json.loads(capsys.readouterr().out)
    assert (answer["valid"], [issue["path"] for issue in answer["issues"]]) == (False, ["gateway.prt"])


def test_the_section_of_a_channel_is_checked_by_the_channel(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "homarus.json").write_text('{"channels": {"irc": {"hots": "irc.example"}}}')
    assert run(["config", "validate"]) == ExitCode.CONFIG
    assert "channels.irc.hots" in capsys.readouterr().err


def test_another_file_can_be_checked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = home / "other.json"
    other.write_text("{gateway: {port: 1234}} // fine")
    assert run(["config", "validate", str(other)]) == ExitCode.OK
    assert "is valid" in capsys.readouterr().out


def test_a_mistyped_key_of_a_channel_is_named_with_the_nearest_key_of_that_channel(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    section = {"host": "irc.example.org", "tsl": False, "allowFrm": ["ann"], "browser": 1}
    (home / "homarus.json").write_text(json.dumps({"channels": {"irc": section}}))
    assert run(["config", "validate"]) == ExitCode.CONFIG
    said = capsys.readouterr().err
    assert 'channels.irc.tsl: unknown key. Did you mean "tls"?' in said
    assert 'channels.irc.allowFrm: unknown key. Did you mean "allowFrom"?' in said
    assert "channels.irc.browser: unknown key. Remove it" in said
