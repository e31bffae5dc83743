from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.fake_services import make_services

from homarus.config.load import load
from homarus.errors import ProtocolError
from homarus.gateway.config_edit import NO_HASH, STALE, change_config, merge
from homarus.gateway.services import Services
from homarus.protocol.frames import JsonObject

TEXT = '{"gateway": {"auth": {"token": "secret-token-123"}}, "ui": {"seamColor": "red"}}'


class FixedSource:
    def __init__(self, path: Path) -> None:
        self.current = load(path, {})


def services_with(folder: Path) -> tuple[Services, Path]:
    path = folder / "homarus.json"
    path.write_text(TEXT)
    services, _ = make_services(folder)
    return replace(services, config=FixedSource(path)), path


def set_color(tree: JsonObject) -> JsonObject:
    merged = merge(tree, {"ui": {"seamColor": "blue"}})
    assert isinstance(merged, dict)
    return merged  # pyright: ignore[reportUnknownVariableType]


async def test_a_change_needs_the_hash_of_the_file_as_it_is(tmp_path: Path) -> None:
    services, path = services_with(tmp_path)
    with pytest.raises(ProtocolError, match=NO_HASH):
        await change_config(services, set_color, None, is_checked=True)
    with pytest.raises(ProtocolError, match=STALE):
        await change_config(services, set_color, "stale", is_checked=True)
    assert path.read_text() == TEXT


async def test_a_change_is_written_and_shown_without_secrets(tmp_path: Path) -> None:
    services, path = services_with(tmp_path)
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    edited = await change_config(services, set_color, digest, is_checked=True)
    assert "secret-token-123" in path.read_text()
    assert "blue" in path.read_text()
    assert "secret-token-123" not in str(edited.shown)


async def test_an_invalid_change_leaves_the_file_alone(tmp_path: Path) -> None:
    services, path = services_with(tmp_path)
    with pytest.raises(ProtocolError, match="invalid config") as caught:
        await change_config(services, lambda tree: {**tree, "bogusKey": 1})
    assert caught.value.details is not None
    assert caught.value.details["issues"]
    assert path.read_text() == TEXT


async def test_a_change_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    services, path = services_with(tmp_path)
    before = path.stat().st_mtime_ns
    assert not (await change_config(services, lambda tree: tree)).is_changed
    assert path.stat().st_mtime_ns == before


def test_null_removes_and_lists_with_ids_are_merged() -> None:
    base = {"a": {"b": 1, "c": 2}, "list": [{"id": "x", "n": 1}, {"id": "y"}]}
    patch = {"a": {"b": None}, "list": [{"id": "x", "n": 2}, {"id": "z"}]}
    assert merge(base, patch) == {"a": {"c": 2}, "list": [{"id": "x", "n": 2}, {"id": "y"}, {"id": "z"}]}
