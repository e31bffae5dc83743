"""The OpenAPI document and the reference page say what there is, and carry nothing from elsewhere."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any, TypedDict

import aiohttp
import pytest
from tests.gateway.conftest import Running

from homarus.gateway.http.openapi import build_document
from homarus.gateway.json_rpc.methods import METHODS
from homarus.gateway.operations.catalogue import build_registry
from homarus.gateway.operations.entries import event_entries, operation_entries, type_text
from homarus.gateway.operations.examples import example_of
from homarus.gateway.operations.result_schema import ResultSchemas
from homarus.gateway.operations.shapes import shapes_of
from homarus.protocol.event_payloads import EVENT_PAYLOADS
from homarus.protocol.events import EVENT_NAMES

REGISTRY = build_registry()
SHAPES = shapes_of(REGISTRY.operations)
DOCUMENT: Any = build_document(REGISTRY.operations)
ROUTED = [each for each in REGISTRY.operations if each.rest is not None]


async def fetch(url: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers) as answer:
        return answer.status, await answer.text(), dict(answer.headers)


@pytest.mark.parametrize("each", REGISTRY.operations, ids=[each.name for each in REGISTRY.operations])
def test_the_example_of_an_operation_is_one_it_takes(each: Any) -> None:
    each.params.model_validate(example_of(each, SHAPES))


@pytest.mark.parametrize("each", ROUTED, ids=[each.name for each in ROUTED])
def test_every_route_is_described_with_scope_example_and_errors(each: Any) -> None:
    found = DOCUMENT["paths"][each.rest.path][each.rest.verb.lower()]
    assert found["operationId"] == each.name
    assert found["summary"] == each.summary
    assert found["security"] == [{"bearer": [str(each.scope)] if each.scope else []}]
    assert {"200", "400", "401", "403", "429"} <= set(found["responses"])
    parts = {parameter["name"] for parameter in found["parameters"] if parameter["in"] == "path"}
    assert parts == set(re.findall(r"\{(\w+)\}", each.rest.path))
    if each.rest.verb == "POST":
        body = found["requestBody"]["content"]["application/json"]
        assert not parts & set(body["schema"]["properties"])
        assert set(body.get("example", {})) <= set(body["schema"]["properties"])


def test_every_reference_in_the_document_leads_somewhere() -> None:
    names = set(re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(DOCUMENT)))
    assert len(names) > 20
    assert [name for kind, name in names if name not in DOCUMENT["components"][kind]] == []


def test_nothing_in_the_document_is_null_where_text_is_sent() -> None:
    queries = [
        parameter["schema"]
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", [])
    ]
    assert len(queries) > 50
    assert [schema for schema in queries if schema.get("type") == "null" or "default" in schema] == []


async def test_the_document_is_served_without_a_secret_and_holds_none(gateway: Running) -> None:
    status, text, headers = await fetch(f"{gateway.http}/openapi.json")
    assert (status, json.loads(text)["openapi"]) == (200, "3.1.0")
    assert headers["Content-Type"].startswith("application/json")
    assert str(gateway.folder) not in text
    assert (await fetch(f"{gateway.http}/openapi.json", "POST"))[0] == 405


class Links(HTMLParser):
    """Collects what a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: set[str] = set()
        self.loaded: set[str] = set()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if "id" in values:
            assert values["id"] not in self.ids
            self.ids.add(values["id"])
        if tag == "a":
            self.targets.add(values["href"])
        elif "src" in values or "href" in values:
            self.loaded.add(values.get("src") or values["href"])


def test_to_serve_them_loads_nothing_that_makes_them() -> None:
    rooms = "('homarus.gateway.http.openapi', 'homarus.gateway.http.reference_page', 'homarus.protocol.results')"
    code = (
        f"import sys, homarus.gateway.http.documents; print([each for each in sys.modules if each.startswith({rooms})])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert ast.literal_eval(found) == []


async def test_the_page_names_the_gateway_that_serves_it(gateway: Running) -> None:
    assert f"http://127.0.0.1:{gateway.server.port}/api/sessions" in (await fetch(f"{gateway.http}/api/docs"))[1]


async def test_the_page_shows_every_operation_and_loads_its_style_only(gateway: Running) -> None:
    status, text, headers = await fetch(f"{gateway.http}/api/docs")
    assert status == 200
    assert "default-src 'none'; style-src 'self'" in headers["Content-Security-Policy"]
    links = Links()
    links.feed(text)
    assert {each.name.replace(".", "-").lower() for each in REGISTRY.operations} <= links.ids
    assert {f"event-{name.replace('.', '-').lower()}" for name in EVENT_PAYLOADS} <= links.ids
    assert all(name in text for name in METHODS)
    assert {target[1:] for target in links.targets if target.startswith("#")} <= links.ids
    assert {target for target in links.targets if not target.startswith("#")} == {"/openapi.json"}
    assert links.loaded == {"data:,", "/api/docs.css"}
    assert not {"script", "iframe", "img"} & set(links.tags)
    status, style, headers = await fetch(f"{gateway.http}/api/docs.css")
    assert (status, headers["Content-Type"].startswith("text/css")) == (200, True)
    assert "prefers-color-scheme: dark" in style
    assert "://" not in style


def test_every_event_has_a_payload_and_every_payload_an_event() -> None:
    assert set(EVENT_NAMES[3]) <= set(EVENT_PAYLOADS) <= set(EVENT_NAMES[4])
    access = {entry.name: entry.access for entry in event_entries()}
    assert access["cron"] == "everybody or `operator.read` in version 4"
    assert access["exec.approval.requested"] == "`operator.approvals`"
    assert access["shutdown"] == "everybody"
    assert [entry.name for entry in event_entries() if not entry.text or not entry.fields] == []


def test_every_operation_says_who_may_call_it() -> None:
    entries = {entry.name: entry for entry in operation_entries(REGISTRY.operations)}
    assert entries["health"].access == "everybody"
    assert entries["node.event"].access == "nodes"
    assert entries["sessions.list"].access == "`operator.read`"
    assert entries["config.schema"].access == "`operator.admin`, `operator.read` in version 4"
    assert entries["sessions.unsubscribe"].versions == "3"
    assert [entry.name for entry in entries.values() if not entry.text] == []


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string", "minLength": 1}, "string (not empty)"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer (1 to 9)"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string"),
        ({"enum": ["a", "b"]}, '"a" or "b"'),
        ({"type": "array", "items": {"type": "string"}}, "list of string"),
        ({}, "any"),
    ],
)
def test_schemas_are_told_in_words(schema: dict[str, object], text: str) -> None:
    assert type_text(schema) == text


def test_a_result_of_another_kind_is_an_error_at_once() -> None:
    with pytest.raises(TypeError, match="no schema"):
        ResultSchemas({}, "{model}").of(bytes)


def test_two_shapes_of_one_name_are_an_error_at_once() -> None:
    schemas = ResultSchemas({}, "{model}")
    schemas.of(TypedDict("Twice", {"a": int}))
    with pytest.raises(TypeError, match="two shapes are called Twice"):
        schemas.of(TypedDict("Twice", {"b": int}))


def test_none_of_the_interfaces_is_loaded_before_it_is_asked() -> None:
    rooms = "('homarus.gateway.http.', 'homarus.gateway.json_rpc.', 'homarus.protocol.results')"
    names = f"[name.rpartition('.')[2] for name in sys.modules if name.startswith({rooms})]"
    code = f"import sys, homarus.gateway.app; print({names})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {"admission", "rest", "route_table", "rpc", "documents", "openapi", "reference_page", "channel_webhook"}
    heavy |= {"results", "table", "session", "answering", "messages", "methods", "params", "notifications"}
    assert heavy & set(ast.literal_eval(found)) == set()
