"""The rendered reference of `/api/docs`: one page of plain HTML, no scripts, nothing from elsewhere."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final

from homarus.gateway.http.documents import PORT_MARK, STYLE_PATH
from homarus.gateway.json_rpc.methods import METHODS
from homarus.gateway.operations.entries import Entry, Field, event_entries, operation_entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from homarus.gateway.operations.registry import Operation

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Homarus API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{style}">
</head>
<body>
<a class="skip" href="#top">Skip to the operations</a>
<nav aria-label="Operations"><details open><summary>Contents</summary>
{navigation}
</details></nav>
<main id="top">
<h1>Homarus API</h1>
<p>Every operation below can be called over the WebSocket protocol and JSON-RPC (<code>/rpc</code>) by its name, and
over REST where a route is shown. Programs read the same in <a href="/openapi.json">openapi.json</a>.</p>
<pre><code>curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:{port}/api/sessions</code></pre>
<p>The token is the gateway's, or that of a paired device, which may then do what the device may.
<code>x-openclaw-scopes</code> limits a request to some scopes.</p>
{sections}
</main>
</body>
</html>
"""


def render_page(operations: Iterable[Operation]) -> str:
    """Return the page; the port in its example is put in when it is served."""
    entries = operation_entries(operations)
    events = event_entries()
    families = [(name, list(members)) for name, members in groupby(entries, key=lambda entry: entry.family)]
    sections = [_family(name, members) for name, members in families]
    sections += [_methods(), '<h2 id="events">Events</h2>', *(_section(entry, "event-") for entry in events)]
    navigation = _navigation(families, events)
    port = PORT_MARK.decode()
    return _PAGE.format(style=STYLE_PATH, navigation=navigation, sections="\n".join(sections), port=port)


def _navigation(families: list[tuple[str, list[Entry]]], events: list[Entry]) -> str:
    lists = [_list(name, f"family-{name}", members, "") for name, members in families]
    return "\n".join([*lists, _list("Events", "events", events, "event-")])


def _list(title: str, anchor: str, entries: list[Entry], prefix: str) -> str:
    items = "".join(f'<li><a href="#{prefix}{entry.anchor}">{escape(entry.name)}</a></li>' for entry in entries)
    return f'<details><summary><a href="#{anchor}">{escape(title)}</a></summary><ul>{items}</ul></details>'


def _family(name: str, entries: list[Entry]) -> str:
    body = "\n".join(_section(entry, "") for entry in entries)
    return f'<h2 id="family-{escape(name)}">{escape(name)}</h2>\n{body}'


def _section(entry: Entry, prefix: str) -> str:
    route = "" if entry.route is None else _route(entry.route)
    tags = f'<span class="tag">{_code(entry.access)}</span><span class="tag">protocol {entry.versions}</span>'
    parts = [
        f'<section id="{prefix}{entry.anchor}"><h3>{escape(entry.name)}</h3>',
        f'<p class="tags">{route}{tags}</p><p>{_code(entry.text)}</p>',
        _table("Parameter" if not prefix else "Member", entry.fields),
    ]
    if entry.example != "{}":
        parts.append(f"<pre><code>{escape(entry.example)}</code></pre>")
    parts.append(_table("Result", entry.results))
    return "".join([*parts, "</section>"])


def _route(route: str) -> str:
    verb, path = route.split(" ", 1)
    return f'<span class="verb {verb.lower()}">{verb}</span> <code class="path">{escape(path)}</code> '


def _table(title: str, fields: Iterable[Field]) -> str:
    rows = "".join(
        f"<tr><th scope=row><code>{escape(field.name)}</code></th><td>{escape(field.type)}"
        f"{' <em>required</em>' if field.is_required else ''}</td></tr>"
        for field in fields
    )
    return f"<table><thead><tr><th>{title}</th><th>Type</th></tr></thead><tbody>{rows}</tbody></table>" if rows else ""


def _methods() -> str:
    rows = "".join(
        f"<tr><th scope=row><code>{escape(each.name)}</code></th><td>{_code(each.summary)}"
        f' <a href="#{each.operation.replace(".", "-")}">{escape(each.operation)}</a></td></tr>'
        for each in METHODS.values()
    )
    head = "<thead><tr><th>Method</th><th>Takes</th></tr></thead>"
    return f'<h2 id="json-rpc">JSON-RPC names</h2><section><table>{head}<tbody>{rows}</tbody></table></section>'


def _code(text: str) -> str:
    """Return text as HTML, with what stands between backquotes as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
