from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from homarus.config.logging import Logging
from homarus.errors import ConfigError
from homarus.gateway.logs import KEPT_FILES, open_logs
from homarus.log_context import logging_as

SECRET = "sk-ant-abcdefghijklmnopqrstuvwxyz0123456789"
log = logging.getLogger("homarus.test")


@pytest.fixture(autouse=True)
def _quiet_root() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    for handler in handlers:
        root.removeHandler(handler)
    yield
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)


def opened(tmp_path: Path, **settings: object) -> Path:
    return open_logs(Logging.model_validate({"consoleLevel": "silent", **settings}), tmp_path, Path)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_says_when_how_bad_where_and_what(tmp_path: Path) -> None:
    path = opened(tmp_path)
    log.warning("%d things", 3)
    line = lines(path)[0]
    assert (line["level"], line["subsystem"], line["message"]) == ("warn", "test", "3 things")
    assert str(line["time"]).endswith("Z")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_carries_the_run_session_and_channel_it_belongs_to(tmp_path: Path) -> None:
    path = opened(tmp_path)
    with logging_as(run="r1", session="agent:main:main", channel="irc"):
        log.info("inside")
        log.info("own", extra={"fields": {"run": "r2", "tool": "exec"}})
    log.info("outside")
    inside, own, outside = lines(path)
    assert (inside["run"], inside["session"], inside["channel"]) == ("r1", "agent:main:main", "irc")
    assert (own["run"], own["tool"], own["channel"]) == ("r2", "exec", "irc")
    assert "run" not in outside


def test_secrets_are_hidden_in_messages_fields_and_tracebacks(tmp_path: Path) -> None:
    path = opened(tmp_path)
    log.info("key %s", SECRET)
    log.info("field", extra={"fields": {"headers": {"auth": [f"Bearer {SECRET}"]}}})
    try:
        raise ValueError(f"refused {SECRET}")
    except ValueError:
        log.exception("broke")
    text = path.read_text()
    assert "abcdefghijklmnop" not in text
    assert text.count("[redacted]") >= 3
    assert "ValueError" in str(lines(path)[2]["error"])


def test_a_field_cannot_take_the_place_of_what_every_line_has(tmp_path: Path) -> None:
    path = opened(tmp_path)
    log.info("true", extra={"fields": {"message": "forged", "level": "debug", "time": 1}})
    line = lines(path)[0]
    assert (line["message"], line["level"]) == ("true", "info")


def test_a_text_cannot_begin_a_line_of_its_own(tmp_path: Path) -> None:
    path = opened(tmp_path)
    log.info('first\n{"level":"fatal","message":"forged"}')
    assert len(lines(path)) == 1


def test_a_full_file_is_rotated_and_only_the_last_ones_are_kept(tmp_path: Path) -> None:
    path = opened(tmp_path, maxFileBytes=2000)
    for number in range(200):
        log.info("line %d %s", number, "x" * 50)
    kept = sorted(each.name for each in tmp_path.iterdir())
    assert kept == [path.name, *(f"{path.name}.{number}" for number in range(1, KEPT_FILES + 1))]
    assert all(each.stat().st_size <= 2000 for each in tmp_path.iterdir())
    assert str(lines(path)[-1]["message"]).startswith("line 199")


def test_the_level_of_the_file_counts_and_opening_again_changes_it(tmp_path: Path) -> None:
    path = opened(tmp_path, level="warn")
    log.info("not written")
    opened(tmp_path, level="info")
    log.info("written")
    assert [line["message"] for line in lines(path)] == ["written"]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        opened(tmp_path, file=str(tmp_path / "folder" / "x.log"))
    assert caught.value.path == "logging.file"
