from __future__ import annotations

from homarus.storage import kv
from homarus.storage.database import Database


async def test_values_come_back_as_they_were_put(database: Database) -> None:
    value = {"a": [1, 2.5, None, True], "b": "text with ünïcödé"}
    await database.write(kv.put_value, "space", "name", value, 1)

    assert await database.read(kv.get_value, "space", "name") == value


async def test_putting_again_replaces(database: Database) -> None:
    await database.write(kv.put_value, "space", "name", 1, 1)
    await database.write(kv.put_value, "space", "name", 2, 2)

    assert await database.read(kv.list_values, "space") == {"name": 2}


async def test_namespaces_are_apart_and_listed_in_order(database: Database) -> None:
    for namespace, name in (("one", "b"), ("one", "a"), ("two", "c")):
        await database.write(kv.put_value, namespace, name, name, 1)

    assert list(await database.read(kv.list_values, "one")) == ["a", "b"]
    assert await database.read(kv.list_values, "three") == {}


async def test_a_deleted_value_is_gone(database: Database) -> None:
    await database.write(kv.put_value, "space", "name", 1, 1)

    assert await database.write(kv.delete_value, "space", "name")
    assert not await database.write(kv.delete_value, "space", "name")
    assert await database.read(kv.get_value, "space", "name") is None
