from __future__ import annotations

import asyncio
from typing import NoReturn

import pytest
from sqlalchemy import Connection, text

from homarus.errors import StorageError, UserError
from homarus.storage import kv
from homarus.storage.database import Database


def put(connection: Connection, name: str, value: object = 1) -> str:
    kv.put_value(connection, "test", name, value, 1)
    return name


def put_then_raise(connection: Connection, name: str, error: Exception) -> NoReturn:
    put(connection, name)
    raise error


def violate(connection: Connection) -> None:
    statement = text("INSERT INTO kv (namespace, name, value, updated_at) VALUES ('test', 'twice', '1', 1)")
    connection.execute(statement)
    connection.execute(statement)


async def names(database: Database) -> list[str]:
    return list(await database.read(kv.list_values, "test"))


async def test_a_write_returns_after_its_commit(database: Database, other: Database) -> None:
    assert await database.write(put, "a") == "a"

    assert await names(other) == ["a"]


async def test_a_write_is_read_back_at_once(database: Database) -> None:
    for number in range(20):
        await database.write(put, "n", number)

        assert await database.read(kv.get_value, "test", "n") == number


async def test_a_failing_write_leaves_the_others_of_its_batch(database: Database, other: Database) -> None:
    results = await asyncio.gather(
        *(database.write(put, f"good-{number}") for number in range(5)),
        database.write(put_then_raise, "bad", UserError("no")),
        database.write(violate),
        *(database.write(put, f"late-{number}") for number in range(5)),
        return_exceptions=True,
    )

    assert isinstance(results[5], UserError)
    assert isinstance(results[6], StorageError)
    assert await names(other) == sorted([f"good-{n}" for n in range(5)] + [f"late-{n}" for n in range(5)])


async def test_an_error_of_the_caller_comes_back_as_it_is(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await database.write(put_then_raise, "bad", ZeroDivisionError())

    assert await names(database) == []


async def test_stop_iteration_reaches_the_waiter_as_an_error(sqlite_database: Database) -> None:
    with pytest.raises(RuntimeError):
        await sqlite_database.write(put_then_raise, "bad", StopIteration())


async def test_a_broken_rule_of_the_database_is_a_storage_error(database: Database) -> None:
    with pytest.raises(StorageError):
        await database.write(violate)

    assert await names(database) == []


async def test_five_hundred_concurrent_writes_all_arrive(database: Database, other: Database) -> None:
    await asyncio.gather(*(database.write(put, f"{number:03}") for number in range(500)))

    assert await names(other) == [f"{number:03}" for number in range(500)]


async def test_a_read_may_not_write(database: Database) -> None:
    with pytest.raises(StorageError):
        await database.read(put, "sneaked")

    await database.write(put, "fine")
    assert await names(database) == ["fine"]


async def test_closing_finishes_what_was_accepted(database: Database, other: Database) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(100):
            group.create_task(database.write(put, f"{number:02}"))
        await asyncio.sleep(0)
        group.create_task(database.close())

    assert len(await names(other)) == 100


async def test_a_closed_database_refuses_reads_and_writes(database: Database) -> None:
    await database.close()
    await database.close()

    with pytest.raises(StorageError, match="closed"):
        await database.write(put, "late")
    with pytest.raises(StorageError, match="closed"):
        await database.read(kv.list_values, "test")


async def test_an_abandoned_write_harms_no_other(database: Database) -> None:
    task = asyncio.ensure_future(database.write(put, "abandoned"))
    await asyncio.sleep(0)
    task.cancel()

    assert await database.write(put, "kept") == "kept"
    assert "kept" in await names(database)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_text_that_is_not_unicode_is_refused_by_name(database: Database) -> None:
    with pytest.raises(StorageError, match=r"'\\ud800', which is not a character"):
        await database.write(put, "half \ud800 pair")

    assert await names(database) == []
