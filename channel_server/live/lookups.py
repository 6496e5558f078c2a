"""Who a client is, asked as often as the answer is overtaken by an order of the application."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from channel_server.core.names import UserId
    from channel_server.core.users import Identity


class Users(Protocol):
    """Where tokens are looked up."""

    async def find(self, token: str) -> Identity | None:
        """Return who it stands for, None for a visitor; raises ``RedisLost`` or ``RedisRefused``."""
        ...


class _LookUp:
    """One question that is under way."""

    __slots__ = ("digests", "user_ids")

    def __init__(self) -> None:
        self.user_ids: set[UserId] = set()
        self.digests: set[str] = set()


class LookUps:
    """Looks tokens up; an order that comes meanwhile and concerns the one asked for: once more.

    Args:
        users: Where tokens are looked up.
    """

    def __init__(self, users: Users) -> None:
        self._users = users
        self._under_way: set[_LookUp] = set()

    async def find(self, token: str) -> Identity | None:
        """Return who a token stands for, None for a visitor. Raises what ``Users`` does.

        What is done with the answer before the next await cannot be overtaken.
        """
        while True:
            look_up = _LookUp()
            self._under_way.add(look_up)
            try:
                identity = await self._users.find(token)
            finally:
                self._under_way.discard(look_up)
            is_stale = (identity is not None and identity.user_id in look_up.user_ids) or (
                bool(look_up.digests) and digest_of(token) in look_up.digests
            )
            if not is_stale:
                return identity

    def user_changed(self, user_id: UserId) -> None:
        """An order concerns this user."""
        for look_up in self._under_way:
            look_up.user_ids.add(user_id)

    def token_revoked(self, digest: str) -> None:
        """An order concerns who comes with this token."""
        for look_up in self._under_way:
            look_up.digests.add(digest)


def digest_of(token: str) -> str:
    """SHA-256 of a token, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()
