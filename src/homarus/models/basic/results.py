"""Composes the answer to tool results as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from homarus.models.basic.envelope import Said
from homarus.models.basic.texts import tell_time
from homarus.models.contract import ToolResultMessage
from homarus.models.wire.json_value import as_object, as_text, parse_json

_SHOWN = 6000
"""Characters of one result in an answer; the tool card holds the rest."""

_NEXT_STEPS = (
    (r"not found|no such file|does not exist|cannot find", "Check the name: say `list the files`."),
    (r"outside|escapes|not allowed|denied|permission", "I can only work inside the workspace, with relative paths."),
    (r"bubblewrap|bwrap|sandbox", "Commands need a sandbox; `homarus doctor` shows how to install one."),
    (r"timed out|timeout", "Try a command that finishes sooner."),
    (r"is a directory|is a folder", "That is a folder: say `list the files in …`."),
    (r"outcome unknown", "Check whether it happened before you ask again."),
)


class Done(Struct, frozen=True):
    """A call that was made, and what came back."""

    result: ToolResultMessage
    arguments: str

    def argument(self, name: str) -> str:
        """Return an argument as text, empty when it was not given."""
        return as_text(as_object(parse_json(self.arguments)).get(name))


def tell_results(done: list[Done], said: Said) -> str:
    """Return one readable answer for all results."""
    return "\n\n".join(_tell(item, said) for item in done)


def _tell(done: Done, said: Said) -> str:
    if done.result.is_error:
        return _tell_error(done)
    teller = _TELLERS.get(done.result.name)
    return teller(done, said) if teller else f"`{done.result.name}` answered:\n\n{fence(done.result.text)}"


def _tell_error(done: Done) -> str:
    text = done.result.text.strip() or "it gave no reason"
    what = f"That did not work. `{done.result.name}` said:\n\n{fence(text)}"
    step = next((advice for signs, advice in _NEXT_STEPS if re.search(signs, text, re.IGNORECASE)), "")
    return f"{what}\n\n{step or 'Say `help` to see how to ask.'}"


def _tell_list(done: Done, _said: Said) -> str:
    path = done.argument("path")
    place = "the workspace" if path in {"", "."} else f"`{path}`"
    if not done.result.text.strip() or re.fullmatch(r"\W*(?:empty|no files|no entries)\W*", done.result.text.lower()):
        return f"There are no files in {place}."
    return f"Files in {place}:\n\n{fence(done.result.text)}"


def _tell_read(done: Done, _said: Said) -> str:
    path = done.argument("path")
    if not done.result.text.strip():
        return f"`{path}` is empty."
    return f"`{path}`:\n\n{fence(done.result.text)}"


def _tell_write(done: Done, _said: Said) -> str:
    return f"Saved in `{done.argument('path')}`."


def _tell_edit(done: Done, _said: Said) -> str:
    return f"Changed `{done.argument('path')}`."


def _tell_exec(done: Done, _said: Said) -> str:
    command = done.argument("command")
    name = "the command" if "`" in command or "\n" in command or len(command) > 80 else f"`{command}`"
    if not done.result.text.strip():
        return f"I ran {name}. It printed nothing."
    return f"I ran {name}:\n\n{fence(done.result.text)}"


def _tell_remember(done: Done, _said: Said) -> str:
    return f"I will remember: {done.argument('fact')}"


def _tell_recall(done: Done, _said: Said) -> str:
    query = done.argument("query")
    if not done.result.text.strip() or re.match(
        r"\W*(?:nothing|no (?:memor|match|result|fact))", done.result.text.lower()
    ):
        return f"I remember nothing about {query}. Say `remember that …` to change that."
    quoted = "\n".join(f"> {line}" if line else ">" for line in _cut(done.result.text.strip()).splitlines())
    return f"This is what I remember about {query}:\n\n{quoted}"


def _tell_status(done: Done, said: Said) -> str:
    if said.at is None and re.search(r"\b(?:time|date|day|today)\b", said.text, re.IGNORECASE):
        return f"{tell_time(said)}\n\n{fence(done.result.text)}".strip()
    return f"Status:\n\n{fence(done.result.text)}"


_TELLERS: Mapping[str, Callable[[Done, Said], str]] = {
    "list": _tell_list,
    "read": _tell_read,
    "write": _tell_write,
    "edit": _tell_edit,
    "exec": _tell_exec,
    "remember": _tell_remember,
    "recall": _tell_recall,
    "session_status": _tell_status,
}


def fence(text: str) -> str:
    """Return a code block whose fence is longer than any inside the text."""
    text = _cut(text.rstrip())
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}text\n{text}\n{ticks}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\n[… {len(text) - _SHOWN} more characters]"
