from __future__ import annotations

import stat
from pathlib import Path

import pytest

from homarus.config.paths import StateDir
from homarus.config.schema import Config
from homarus.errors import ConfigError


def test_the_environment_names_the_folder_and_the_file(tmp_path: Path) -> None:
    state = StateDir.resolve({"HOMARUS_HOME": str(tmp_path / "s")})
    assert (state.root, state.config_file) == (tmp_path / "s", tmp_path / "s" / "homarus.json")
    assert state.database == tmp_path / "s" / "homarus.db"
    other = StateDir.resolve({"HOME": "/home/ada", "HOMARUS_CONFIG": "~/my.json"})
    assert (other.root, other.config_file) == (Path("/home/ada/.homarus"), Path("/home/ada/my.json"))


def test_folders_are_made_private(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "a" / "b")
    state.create()
    for folder in (state.root, state.logs, state.identity, state.backups):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_named_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="state folder") as caught:
        StateDir(tmp_path / "file" / "state").create()
    assert str(tmp_path / "file") in caught.value.message
    assert caught.value.fix is not None
    assert "HOMARUS_HOME" in caught.value.fix


def test_workspaces_follow_the_configuration(tmp_path: Path) -> None:
    state = StateDir(tmp_path, {"HOME": "/home/ada"})
    assert state.workspace() == tmp_path / "workspace"
    assert state.workspace("work") == tmp_path / "workspace-work"
    tree = {
        "agents": {
            "defaults": {"workspace": "~/w"},
            "list": [{"id": "a"}, {"id": "b", "workspace": "/srv/b"}, {"id": "c"}],
        }
    }
    config = Config.model_validate(tree)
    assert state.workspace("a", config) == Path("/home/ada/w")
    assert state.workspace("b", config) == Path("/srv/b")
    assert state.workspace("c", config) == tmp_path / "workspace-c"


@pytest.mark.parametrize("name", ["../x", "", "a/b", "a" * 65])
def test_an_agent_id_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        StateDir(tmp_path).workspace(name)
