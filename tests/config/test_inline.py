from __future__ import annotations

import json

from homarus.config import json_schema
from homarus.config.inline import inline


def test_the_schema_of_the_configuration_needs_no_references() -> None:
    text = json.dumps(inline(json_schema()))
    assert "$ref" not in text
    assert "$defs" not in text
    assert len(text) < 400_000


def test_what_stands_beside_a_reference_wins() -> None:
    schema: dict[str, object] = {
        "$defs": {"Port": {"type": "integer", "title": "Port"}},
        "properties": {
            "port": {"$ref": "#/$defs/Port", "title": "Gateway port"},
            "ports": {"items": {"$ref": "#/$defs/Port"}},
        },
    }
    assert inline(schema) == {
        "properties": {
            "port": {"type": "integer", "title": "Gateway port"},
            "ports": {"items": {"type": "integer", "title": "Port"}},
        }
    }


def test_a_definition_that_contains_itself_ends() -> None:
    tree = {"type": "object", "properties": {"child": {"$ref": "#/$defs/Tree", "title": "Child"}}}
    schema: dict[str, object] = {"$defs": {"Tree": tree}, "properties": {"root": {"$ref": "#/$defs/Tree"}}}
    root = {"type": "object", "properties": {"child": {"title": "Child"}}}
    assert inline(schema) == {"properties": {"root": root}}
