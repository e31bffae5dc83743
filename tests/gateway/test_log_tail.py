"""The log as the clients of the protocol read it."""

from __future__ import annotations

import json
from pathlib import Path

from homarus.gateway.operations.log_tail import as_clients_read, read_tail
from homarus.protocol.health import LogsTailParams

RECORD = {"time": "2026-11-21T06:00:00.000Z", "level": "warn", "subsystem": "lanes", "message": "über alles"}


async def test_a_record_says_its_text_where_clients_look_for_it(tmp_path: Path) -> None:
    path = tmp_path / "homarus.log"
    path.write_text(json.dumps(RECORD) + "\n", encoding="utf-8")
    line = json.loads((await read_tail(path, LogsTailParams()))["lines"][0])
    assert line["1"] == "über alles"
    assert line["_meta"]["logLevelName"] == "WARN"
    assert json.loads(line["_meta"]["name"]) == {"subsystem": "lanes"}
    assert line["_meta"]["date"] == line["time"] == RECORD["time"]
    assert line["message"] == RECORD["message"]


def test_what_is_no_record_is_passed_on_unchanged() -> None:
    assert [as_clients_read(text) for text in ("plain text", "[1, 2]", '{"half": ')] == [
        "plain text", "[1, 2]", '{"half": ',
    ]  # fmt: skip
