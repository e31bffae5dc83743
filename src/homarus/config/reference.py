"""The reference page of the configuration: `python -m homarus.config.reference > docs/reference/config.md`."""

from __future__ import annotations

import sys
from functools import cache
from itertools import groupby
from typing import cast

from pydantic import BaseModel

from homarus.config.catalogue import Key, branches, docstrings, fields_of, full_annotation, keys
from homarus.config.reload import impact_of
from homarus.config.schema import Config
from homarus.config.unused import is_used

_INTRODUCTION = """\
# Configuration keys

The file is `homarus.json` in the state folder (`HOMARUS_HOME`, else `~/.homarus`); `HOMARUS_CONFIG` or `--config`
names another one. It is JSON5: comments, trailing commas and bare keys are fine. Unknown keys are errors.

- `${NAME}` is replaced by an environment variable (capitals, digits, underscore); an unset one is an error;
  `$${NAME}` is the text `${NAME}`. Variables come from the process, then `.env` in the folder of the file, then
  `env.vars`.
- `"$include": "other.json5"` (or a list) merges files of the same folder or below it; keys beside it win.
- A `secret` is a text or `{source: "env", provider: "default", id: "NAME"}`; `source: "file"` reads the file that
  `secrets.providers.<provider>` names.
- In paths, `*` stands for a name of your choice and `[]` for each entry of a list.
- Reload: `live` is used at once, `hot` restarts the part concerned, `restart` needs a restart of the gateway.
- Keys marked "accepted" can be in the file but have no effect yet; the gateway lists them when it starts.
- `HOMARUS_GATEWAY_TOKEN` and `HOMARUS_GATEWAY_PASSWORD` override `gateway.auth.token` and `gateway.auth.password`;
  the names beginning with `OPENCLAW_` work too.
"""


def render() -> str:
    """Return the page as Markdown."""
    parts = [_INTRODUCTION]
    for family, members in groupby(keys(), key=lambda key: key.path.partition(".")[0].partition("[")[0]):
        parts.append(
            f"\n## {family}\n\n| key | type | default | meaning | reload | effect |\n|---|---|---|---|---|---|\n"
        )
        parts.extend(_row(key) for key in members)
    return "".join(parts)


def _row(key: Key) -> str:
    cells = (f"`{key.path}`", key.type, f"`{key.default}`" if key.default else "-", key.meaning)
    effect = "yes" if _has_effect(key.path) else "accepted"
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} | {impact_of(key.path)} | {effect} |\n"


def _has_effect(path: str) -> bool:
    return is_used(path) or any(key.path.startswith((f"{path}.", f"{path}[")) and is_used(key.path) for key in keys())


def schema_with_meanings() -> dict[str, object]:
    """Return the JSON Schema of the file with the meaning of every key as its description."""
    schema = cast("dict[str, object]", Config.model_json_schema())
    _describe(schema)
    return schema


def _describe(node: object) -> None:
    if isinstance(node, list):
        for item in cast("list[object]", node):
            _describe(item)
    if not isinstance(node, dict):
        return
    tree = cast("dict[str, object]", node)
    model = _models().get(str(tree.get("title", "")))
    properties = tree.get("properties")
    if model is not None and isinstance(properties, dict):
        meanings = docstrings(model)
        for name, item in cast("dict[str, dict[str, object]]", properties).items():
            item["description"] = meanings.get(name, "")
    for item in tree.values():
        _describe(item)
    if model is not None and isinstance(properties, dict):
        for name, item in cast("dict[str, dict[str, object]]", properties).items():
            item["title"] = name


@cache
def _models() -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    waiting: list[object] = [Config]
    while waiting:
        for kind, target in branches(waiting.pop()):
            if kind in ("list", "map"):
                waiting.append(target)
            elif kind == "model" and found.get(target.__name__) is not target:
                found[target.__name__] = target
                waiting.extend(full_annotation(field) for field in fields_of(target).values())
    return found


if __name__ == "__main__":
    sys.stdout.write(render())
