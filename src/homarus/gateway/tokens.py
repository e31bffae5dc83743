"""Random secrets the gateway hands out: browser tokens and one-time login codes. Only hashes are kept."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from typing import Final

from homarus.clock import Clock
from homarus.storage import devices as rows
from homarus.storage.database import Database

LOGIN_CODE_TTL_MS: Final = 10 * 60 * 1000
"""How long a login link works."""
MAX_LOGIN_CODES: Final = 32
"""Login links that can be open at once; a new one closes the oldest."""
MAX_BROWSERS: Final = 32
"""Browsers that stay signed in; a new one signs the oldest out."""
BROWSER_PREFIX: Final = "hbt_"
MAX_TOKEN: Final = 512
_CACHE: Final = 256


def hash_token(token: str) -> str:
    """Return the stored form of a token: hex SHA-256. Tokens are random, so no salt or stretching is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class BrowserTokens:
    """Tokens for browsers that signed in with a login link. They count as the shared secret and can be revoked."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: OrderedDict[str, None] = OrderedDict()

    async def issue(self) -> str:
        """Return a new token. Raises StorageError."""
        token = BROWSER_PREFIX + self._clock.token()
        now = self._clock.now_ms()
        await self._database.write(rows.insert_browser_token, hash_token(token), now, keep=MAX_BROWSERS)
        self._known.clear()
        return token

    async def is_valid(self, token: str) -> bool:
        """Tell whether a token was issued and is still good."""
        if not token.startswith(BROWSER_PREFIX) or len(token) > MAX_TOKEN:
            return False
        digest = hash_token(token)
        if digest in self._known:
            return True
        if not await self._database.read(rows.has_browser_token, digest):
            return False
        self._known[digest] = None
        while len(self._known) > _CACHE:
            self._known.popitem(last=False)
        return True

    async def revoke_all(self) -> int:
        """Sign every browser out; return how many there were."""
        self._known.clear()
        return await self._database.write(rows.delete_browser_tokens)


class LoginCodes:
    """One-time codes in login links: each works once, for ten minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._codes: OrderedDict[bytes, int] = OrderedDict()

    def create(self) -> str:
        """Return a new code."""
        code = self._clock.token(24)
        self._codes[_digest(code)] = self._clock.now_ms() + LOGIN_CODE_TTL_MS
        while len(self._codes) > MAX_LOGIN_CODES:
            self._codes.popitem(last=False)
        return code

    def redeem(self, code: str) -> bool:
        """Use a code up; False when it is unknown, used or too old. Looks at every code, so time tells nothing."""
        now = self._clock.now_ms()
        given = _digest(code)
        matches = [digest for digest in self._codes if hmac.compare_digest(digest, given)]
        if not matches:
            return False
        return self._codes.pop(matches[0]) > now


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
