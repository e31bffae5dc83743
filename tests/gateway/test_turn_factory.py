from __future__ import annotations

from pathlib import Path

import pytest

from homarus.config.schema import Config
from homarus.gateway import turn_factory
from homarus.gateway.turn_factory import zone_name


def test_the_system_s_zone_is_read_again_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link, config = tmp_path / "localtime", Config.model_validate({})
    monkeypatch.setattr(turn_factory, "_LOCALTIME", str(link))
    assert zone_name(config) == "UTC"
    for name in ("Europe/Berlin", "Asia/Tokyo", "Etc/UTC"):
        (tmp_path / "new").symlink_to(f"/usr/share/zoneinfo/{name}")
        (tmp_path / "new").replace(link)
        assert zone_name(config) == ("UTC" if name == "Etc/UTC" else name)
    named = Config.model_validate({"agents": {"defaults": {"userTimezone": "Africa/Cairo"}}})
    assert zone_name(named) == "Africa/Cairo"
