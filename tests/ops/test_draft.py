"""A draft shows what would be, and writes all of it or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from homarus.config.environment import read_dotenv
from homarus.config.paths import StateDir
from homarus.errors import ConfigError, UserError
from homarus.ops.draft import Draft, with_variables

PROVIDER: dict[str, object] = {"baseUrl": "https://host.example/v1", "models": []}


def state_of(folder: Path, **more: str) -> StateDir:
    return StateDir.resolve({"HOMARUS_HOME": str(folder), "HOME": str(folder), **more})


def test_keys_and_secrets_are_written_together_and_privately(tmp_path: Path) -> None:
    draft = Draft(state_of(tmp_path))
    reference = draft.keep_secret("MY_KEY", "s3cret value")
    draft.values = {"models.providers.mine": {**PROVIDER, "apiKey": reference}}
    assert draft.preview().config.models.providers["mine"].api_key
    assert list(tmp_path.iterdir()) == []
    draft.commit()
    assert json.loads((tmp_path / "homarus.json").read_text())["models"]["providers"]["mine"]["apiKey"] == "${MY_KEY}"
    assert read_dotenv(tmp_path / ".env") == {"MY_KEY": "s3cret value"}
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_a_change_that_would_be_invalid_leaves_both_files_as_they_were(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# mine\nOTHER=1\n")
    draft = Draft(state_of(tmp_path))
    draft.keep_secret("MY_KEY", "x")
    draft.values = {"gateway.port": "many"}
    with pytest.raises(ConfigError):
        draft.preview()
    with pytest.raises(ConfigError):
        draft.commit()
    assert (tmp_path / ".env").read_text() == "# mine\nOTHER=1\n"
    assert not (tmp_path / "homarus.json").exists()


@pytest.mark.parametrize(
    "value", ["plain", "with space", "a'b", 'a"b', "a'b\"c\\d", "#hash", "a #b", "$x", "ä=ö", " ab "]
)
def test_any_value_is_read_back_as_it_was(tmp_path: Path, value: str) -> None:
    path = tmp_path / ".env"
    path.write_text(with_variables("A=1\nexport KEY=old\nB=2\n", {"KEY": value}))
    assert read_dotenv(path) == {"A": "1", "KEY": value, "B": "2"}


@pytest.mark.parametrize(("name", "value"), [("lower", "x"), ("1A", "x"), ("A-B", "x"), ("KEY", ""), ("KEY", "a\nB=1")])
def test_what_would_break_the_file_is_refused(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(UserError):
        Draft(state_of(tmp_path)).keep_secret(name, value)


def test_a_variable_of_the_environment_that_would_win_is_refused(tmp_path: Path) -> None:
    draft = Draft(state_of(tmp_path, MY_KEY="another"))
    with pytest.raises(UserError, match="another value"):
        draft.keep_secret("MY_KEY", "mine")
    assert draft.variable("MY_KEY") == "another"
    assert not draft.is_stored("MY_KEY")
