from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from homarus.config.include import MAX_DEPTH
from homarus.config.issues import ConfigErrors
from homarus.config.load import LoadedConfig, load

if TYPE_CHECKING:
    from pathlib import Path


def read(tmp_path: Path, **files: str) -> LoadedConfig:
    for name, text in files.items():
        (tmp_path / f"{name}.json").write_text(text)
    return load(tmp_path / "homarus.json", {})


def test_included_objects_are_merged_and_own_keys_win(tmp_path: Path) -> None:
    loaded = read(
        tmp_path,
        homarus='{gateway: {$include: ["./a.json", "./b.json"], port: 3}, logging: {$include: "c.json"}}',
        a='{port: 1, bind: "lan", trustedProxies: ["10.0.0.1"]}',
        b='{port: 2, auth: {mode: "none"}, trustedProxies: ["10.0.0.2"]}',
        c='{level: "debug"}',
    )
    gateway = loaded.config.gateway
    assert (gateway.port, gateway.bind, gateway.auth.mode) == (3, "lan", "none")
    assert gateway.trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert loaded.config.logging.level == "debug"
    assert [path.name for path in loaded.files] == ["homarus.json", "a.json", "b.json", "c.json"]


def test_an_included_file_may_include_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.json").write_text('{$include: "b.json"}')
    (tmp_path / "sub" / "b.json").write_text("{port: 7}")
    assert read(tmp_path, homarus='{gateway: {$include: "sub/a.json"}}').config.gateway.port == 7


def test_a_circle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="includes itself"):
        read(tmp_path, homarus='{$include: "a.json"}', a='{$include: "b.json"}', b='{$include: "a.json"}')


def test_a_file_outside_the_folder_is_refused_even_through_a_link(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (tmp_path / "outside.json").write_text("{}")
    (folder / "link.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(ConfigErrors) as caught:
        read(folder, homarus='{gateway: {$include: "../outside.json"}, logging: {$include: "link.json"}}')
    assert [issue.path for issue in caught.value.issues] == ["gateway.$include", "logging.$include"]
    assert all("outside" in issue.message for issue in caught.value.issues)


def test_nesting_is_bounded(tmp_path: Path) -> None:
    files = {f"n{index}": f'{{$include: "n{index + 1}.json"}}' for index in range(MAX_DEPTH + 2)}
    with pytest.raises(ConfigErrors, match="deeper than"):
        read(tmp_path, homarus='{$include: "n0.json"}', **files)


def test_a_missing_or_broken_included_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        read(tmp_path, homarus='{gateway: {$include: "none.json"}, logging: {$include: "bad.json"}}', bad="{a:")
    assert "none.json does not exist" in caught.value.issues[0].message
    assert "bad.json" in caught.value.issues[1].message


def test_keys_beside_an_included_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="need an included object"):
        read(tmp_path, homarus='{gateway: {$include: "a.json", port: 1}}', a="[1]")


def test_an_include_must_be_a_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="file name"):
        read(tmp_path, homarus="{gateway: {$include: 5}}")
