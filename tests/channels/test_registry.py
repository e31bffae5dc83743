from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from homarus.channels import registry
from homarus.channels.irc.channel import IrcChannel
from homarus.channels.irc.config import IrcConfig
from homarus.clock import SystemClock
from homarus.errors import ConfigError

GOOD = 'id = "x"\nname = "X"\nmodule = "homarus.channels.irc.channel"\n'


def write(folder: Path, text: str, name: str = "x") -> Path:
    (folder / name).mkdir()
    path = folder / name / "manifest.toml"
    path.write_text(text)
    return path


def test_manifests_are_read_without_importing_a_channel() -> None:
    code = (
        "import sys; from homarus.channels.registry import manifests; m = manifests(); "
        "bad = [n for n in sys.modules if n.startswith('homarus.channels.irc')]; "
        "print(m['irc'].capabilities.max_text, bad)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "350 []"


def test_a_channel_is_loaded_and_made_by_its_id() -> None:
    module = registry.load("irc")
    assert module.config_model is IrcConfig
    channel = module.create(IrcConfig(host="irc.test"), "default", SystemClock())
    assert isinstance(channel, IrcChannel)


def test_an_unknown_channel_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no channel 'ircc'.*irc") as caught:
        registry.load("ircc")
    assert caught.value.path == "channels.ircc"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('id = "x"\nname = "X"\n', "module"),
        (GOOD + "colour = 1\n", "colour"),
        (GOOD + "docs = 1\n", "docs"),
        (GOOD + '[capabilities]\nmax_text = "long"\n', "max_text"),
        (GOOD + "[capabilities]\nmax_text = true\n", "max_text"),
        (GOOD + "[capabilities]\nmax_txt = 1\n", "max_txt"),
        (GOOD + "capabilities = 1\n", "capabilities"),
        ("id = ", ""),
    ],
)
def test_a_broken_manifest_names_the_wrong_key(tmp_path: Path, text: str, key: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        registry.read_manifest(path)
    assert key in caught.value.message
    assert str(path) in caught.value.path


def test_two_channels_with_one_id_are_refused(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "one")
    write(tmp_path, GOOD, "two")
    with pytest.raises(ConfigError, match="two channels"):
        registry.scan(tmp_path)


def test_a_missing_extra_gives_the_command_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needy_channel.py").write_text("import package_that_is_not_there\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    manifest = registry.read_manifest(write(tmp_path, GOOD.replace("homarus.channels.irc.channel", "needy_channel")
                                            + 'extra = "needy"\n'))  # fmt: skip
    monkeypatch.setattr(registry, "manifests", lambda: {"x": manifest})
    with pytest.raises(ConfigError, match="package_that_is_not_there") as caught:
        registry.load("x")
    assert caught.value.fix == "pip install 'homarus[needy]'"
