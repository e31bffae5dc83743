from __future__ import annotations

import json
from pathlib import Path

from homarus.config import json_schema
from homarus.config.catalogue import keys
from homarus.config.reference import render
from homarus.config.unused import USED

ROOT = Path(__file__).parents[2]


def test_the_reference_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "reference" / "config.md").read_text(encoding="utf-8")
    assert page == render(), "run: python -m homarus.config.reference > docs/reference/config.md"


def test_every_key_has_a_meaning() -> None:
    assert [key.path for key in keys() if not key.meaning] == []


def test_every_used_key_exists() -> None:
    known = {key.path for key in keys()}
    assert [path for path in USED if path not in known] == []


def test_the_json_schema_describes_every_section() -> None:
    schema = json_schema()
    properties = schema["properties"]
    assert isinstance(properties, dict)
    text = json.dumps(schema)
    assert "TCP port of the server." in text
    assert "Wire protocol." in text
    assert schema["additionalProperties"] is False
