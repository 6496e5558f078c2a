"""Channel tokens as Redis commands: who the holder of a token is. Pure but for new tokens.

Source: the wire contract with Loomio, section 2.
"""

from __future__ import annotations

import enum
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from publisher.command import Command
from publisher.contract import CURRENT_USERS
from publisher.errors import InvalidMessage
from publisher.payload import payload
from publisher.positive import positive_int

_NEW_TOKEN_BYTES: Final = 24  # 192 random bits, 32 characters
_TOKEN_CHARACTERS_MAX: Final = 512
# What a browser sends for a visitor without a token; the server treats both as no token.
_NO_TOKENS: Final = frozenset({"null", "undefined"})
# Control characters, and surrogates, which UTF-8 cannot write.
_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class DefaultTtl(enum.Enum):
    """Stands for "as long as the publisher's settings say"; None already means for ever."""

    DEFAULT_TTL = "default"


DEFAULT_TTL: Final = DefaultTtl.DEFAULT_TTL


class HasIdAndName(Protocol):
    """A user object, such as a Django or SQLAlchemy model."""

    @property
    def id(self) -> int:
        """Positive."""
        ...

    @property
    def name(self) -> str | None:
        """None if the user has not given one."""
        ...


User = HasIdAndName | Mapping[str, object]
"""An object with ``id`` and ``name``, or a mapping with these keys; the rest is not read."""


def new_token() -> str:
    """Make a token nobody can guess: 32 characters of ``A-Z a-z 0-9 - _``."""
    return secrets.token_urlsafe(_NEW_TOKEN_BYTES)


def store_command(token: str, user: User, group_ids: Iterable[int], ttl: int | None) -> Command:
    """Let the holder of a token in as a user.

    Args:
        token: See ``_key``.
        user: Whom clients with this token are.
        group_ids: Groups whose rooms these clients join.
        ttl: Seconds until the token is forgotten, 1 or more. None keeps it for ever.

    Returns:
        ``SET /current_users/<token>`` with ``{"name":...,"group_ids":[...],"id":...}``, which
        overwrites what was stored before, its TTL included.

    Raises:
        InvalidMessage: If an argument is wrong.
    """
    key = _key(token)
    user_id, name = _identity(user)
    document = {"name": name, "group_ids": _checked_group_ids(group_ids), "id": user_id}
    words = ("SET", key, payload("user or group_ids", document))
    return Command(words if ttl is None else (*words, "EX", positive_int("ttl", ttl)))


def revoke_command(token: str) -> Command:
    """Forget a token: ``DEL /current_users/<token>``.

    Raises:
        InvalidMessage: If it could never have been a token.
    """
    return Command(("DEL", _key(token)))


def _key(token: str) -> str:
    """Redis key of a token: 1 to 512 characters, none of them a control character."""
    if not isinstance(token, str):
        raise InvalidMessage("token", f"must be a str, not {type(token).__name__}")
    if not 0 < len(token) <= _TOKEN_CHARACTERS_MAX:
        raise InvalidMessage("token", f"must have 1 to {_TOKEN_CHARACTERS_MAX} characters")
    if token in _NO_TOKENS:
        raise InvalidMessage("token", "must not be what browsers send for no token")
    if _UNFIT.search(token):
        raise InvalidMessage("token", "must not contain control characters or surrogates")
    return CURRENT_USERS + token


def _identity(user: User) -> tuple[int, str | None]:
    try:
        if isinstance(user, Mapping):
            user_id, name = user["id"], user["name"]
        else:
            user_id, name = user.id, user.name
    except (AttributeError, KeyError):
        # Not chained: a KeyError or AttributeError may hold the user.
        problem = "must have id and name"
    else:
        if name is None or isinstance(name, str):
            return positive_int("user id", user_id), name
        problem = f"must have a str or None as name, not {type(name).__name__}"
    raise InvalidMessage("user", problem)


def _checked_group_ids(group_ids: Iterable[int]) -> list[int]:
    # Bytes are iterable and give positive ints, which nobody means.
    if isinstance(group_ids, str | bytes | bytearray) or not isinstance(group_ids, Iterable):
        problem = f"must be an iterable of ints, not {type(group_ids).__name__}"
        raise InvalidMessage("group_ids", problem)
    return [positive_int("group_ids", group_id) for group_id in group_ids]
