"""Where what is said after a wake word goes."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final, cast

from homarus.errors import UserError
from homarus.protocol.frames import JsonObject, as_object
from homarus.storage import kv
from homarus.storage.database import Database

if TYPE_CHECKING:
    from homarus.clock import Clock
    from homarus.protocol.voicewake import WakeRouting, WakeTarget

CURRENT: Final[JsonObject] = {"mode": "current"}
"""The session the speaker is in."""
_SPACE, _NAME = "voicewake", "routing"


async def read_routing(database: Database) -> JsonObject:
    """Return the routes as clients know them; everything goes to the current session until somebody says otherwise."""
    stored = as_object(await database.read(kv.get_value, _SPACE, _NAME))
    return stored or {"version": 1, "defaultTarget": dict(CURRENT), "routes": [], "updatedAtMs": 0}


async def write_routing(database: Database, clock: Clock, wanted: WakeRouting) -> JsonObject:
    """Store routes and return them as kept. Raises UserError for a word that is empty or has two routes."""
    routes: dict[str, JsonObject] = {}
    for route in wanted.routes:
        word = normalise(route.trigger)
        if not word:
            raise UserError(f"the wake word {route.trigger!r} has no letters")
        if word in routes:
            raise UserError(f"the wake word {word!r} has two routes; keep one of them")
        routes[word] = {"trigger": word, "target": _target(route.target)}
    now = clock.now_ms()
    kept: JsonObject = {"version": 1, "defaultTarget": _target(wanted.default_target), "routes": [*routes.values()]}
    kept["updatedAtMs"] = now
    await database.write(kv.put_value, _SPACE, _NAME, kept, now)
    return kept


async def find_target(database: Database, trigger: str | None) -> JsonObject:
    """Return where something said after a wake word goes, in the form clients know."""
    routing = await read_routing(database)
    word = normalise(trigger or "")
    for route in cast("list[JsonObject]", routing["routes"]):
        if word and route["trigger"] == word:
            return cast("JsonObject", route["target"])
    return cast("JsonObject", routing["defaultTarget"])


def normalise(word: str) -> str:
    """Return a wake word in the form that is compared: lower case, single spaces, no punctuation around words."""
    return " ".join(stripped for each in word.lower().split() if (stripped := each.strip(string.punctuation)))


def _target(target: WakeTarget) -> JsonObject:
    return target.model_dump(by_alias=True, exclude_none=True)
