"""One way to the database: `await db.write(fn, *args)` and `await db.read(fn, *args)`.

`fn` is a plain function of a SQLAlchemy Connection. A write returns only after its commit; many writes that wait at
the same time share one commit on SQLite (group commit), each inside its own savepoint, so one that raises does not
touch the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

from homarus.errors import StorageError

P = ParamSpec("P")
T = TypeVar("T")


class Database(Protocol):
    """A database as the rest of Homarus sees it. Both calls raise StorageError when the database fails."""

    @property
    def dialect(self) -> str:
        """Return `sqlite` or `postgresql`."""
        ...

    @property
    def is_failing(self) -> bool:
        """Tell whether the last commit that was tried failed: the next may, too."""
        ...

    async def write(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in a transaction and return its result after the commit."""
        ...

    async def read(self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` on a read connection."""
        ...

    async def close(self) -> None:
        """Finish what was accepted and close every connection."""
        ...


def settle(future: asyncio.Future[T], result: T | None, error: BaseException | None) -> None:
    """Resolve a future that its waiter may have abandoned meanwhile."""
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)  # pyright: ignore[reportArgumentType]


def refuse_text(error: UnicodeEncodeError) -> StorageError:
    """Return the failure of a text with half a surrogate pair, which no database can keep."""
    found = error.object[error.start : error.end]
    return StorageError(f"a text cannot be stored: it contains {found!a}, which is not a character")
