"""The files that describe the interfaces, made from the operations: `python -m homarus.gateway.http.document_files`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from homarus.gateway.http.documents import FOLDER
from homarus.gateway.http.openapi import build_document
from homarus.gateway.http.reference_page import render_page
from homarus.gateway.operations.catalogue import build_registry
from homarus.protocol.frames import JsonObject, encode

if TYPE_CHECKING:
    from collections.abc import Mapping


def make_files() -> dict[Path, str]:
    """Return what each file is to say."""
    operations = build_registry().operations
    return {
        FOLDER / "openapi.json": _by_lines(build_document(operations)),
        FOLDER / "reference_page.html": render_page(operations),
    }


def _by_lines(document: JsonObject) -> str:
    """Return the document with a line for each path and schema, so that a change shows where it is."""
    components = cast("JsonObject", document["components"])
    schemas = _joined(_encoded(cast("JsonObject", components["schemas"])))
    paths = _joined(_encoded(cast("JsonObject", document["paths"])))
    parts = _encoded(document) | {"paths": paths, "components": _joined(_encoded(components) | {"schemas": schemas})}
    return _joined(parts) + "\n"


def _encoded(fields: JsonObject) -> dict[str, str]:
    return {name: encode(value) for name, value in fields.items()}


def _joined(parts: Mapping[str, str]) -> str:
    return "{\n" + ",\n".join(f"{encode(name)}:{text}" for name, text in parts.items()) + "\n}"


if __name__ == "__main__":
    for file, text in make_files().items():
        file.write_text(text, encoding="utf-8")
