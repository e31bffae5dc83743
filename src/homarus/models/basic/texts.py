"""What the built-in model says by itself."""

from __future__ import annotations

from collections.abc import Sequence

from homarus.models.basic.envelope import Said

NATURE = (
    "I am the built-in assistant of Homarus. I follow fixed rules and have no language model behind me, "
    "so I only understand plain requests."
)
NOTICE = "_I am the built-in rule-based assistant, without a language model. Say `help` to see what I understand._"

ABILITIES = """\
- `list the files`, `list the files in notes`
- `show README.md`
- `write a note: buy milk`, `create a file todo.txt with call Anna`
- `replace "old" with "new" in todo.txt`
- `run uname -a` (in the sandbox)
- `remember that the key is under the mat`, `what do you know about the key`
- `what time is it`, `status`, `help`"""

CONNECT = """\
To connect a language model, do one of these and restart the gateway:
- set a key, for example `OPENAI_API_KEY` or `OPENROUTER_API_KEY`, and `agents.defaults.model` to a model such as \
`openrouter/<model>`;
- or add any server that speaks the OpenAI protocol to `homarus.json`:

```json5
{
  models: { providers: { mine: {
    baseUrl: "https://host/v1", apiKey: "${MY_KEY}",
    models: [{ id: "model-id", name: "My model" }],
  } } },
  agents: { defaults: { model: "mine/model-id" } },
}
```"""


def tell_help(found: Sequence[str]) -> str:
    """Return what this assistant is, understands and how to replace it. `found` are local models running now."""
    return f"{NATURE}\n\nI understand requests such as:\n{ABILITIES}\n\n{tell_model(found)}"


def tell_model(found: Sequence[str]) -> str:
    """Return how to connect a language model, beginning with those that already run here."""
    if not found:
        return CONNECT
    names = ", ".join(f"`{ref}`" for ref in found[:5])
    return f"Models running on this machine: {names}. Set `agents.defaults.model` to one of them.\n\n{CONNECT}"


def tell_unknown() -> str:
    """Return the honest answer to what the rules do not cover."""
    return f"I do not understand that. {NATURE}\n\nYou can say:\n{ABILITIES}\n\nSay `help` for how to connect a model."


def tell_time(said: Said) -> str:
    """Return the time the message came with."""
    if said.at is None:
        return "Your message came without a time, so I looked at the session."
    return f"It is {said.at:%H:%M} {said.zone}".rstrip() + f" on {said.at:%A}, {said.at.day} {said.at:%B %Y}."


def tell_no_tool(name: str) -> str:
    """Return why a request cannot be done in this session."""
    return f"That needs the tool `{name}`, which is not available in this session. Say `help` for what else I can do."


TALK = {
    "greeting": "Hello! What can I do for you?",
    "thanks": "You are welcome.",
    "bye": "Goodbye!",
    "memories": "Tell me what to look for, for example `what do you know about birthdays`.",
    "about": f"{NATURE} Say `help` to see what I can do and how to connect a model.",
}
