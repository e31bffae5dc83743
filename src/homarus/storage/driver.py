"""The driver below SQLAlchemy on SQLite."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return the driver's connection, for what SQLAlchemy has no words for or is too slow at."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(type(driver).__name__)
    return driver
