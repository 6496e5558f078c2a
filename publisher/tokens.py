"""Channel tokens as steps: who the holder of a token is. Pure but for new tokens.

Source: the wire contract with Loomio, section 2.
"""

from __future__ import annotations

import enum
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from publisher.cluster_tokens import issue, replace_groups, revoke, revoke_user
from publisher.command import Command
from publisher.contract import CURRENT_USERS
from publisher.contract.journal import TOKENS
from publisher.control import hang_up_token, hang_up_user, set_groups
from publisher.errors import InvalidMessage
from publisher.ids import checked_id, checked_ids
from publisher.not_loaded import reading
from publisher.payload import payload
from publisher.positive import positive_int
from publisher.steps import one
from publisher.token_scripts import ISSUE, REPLACE_GROUPS, REVOKE, REVOKE_USER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from publisher.contract.ids import Id
    from publisher.ids import AnyId
    from publisher.journaling import Journaling
    from publisher.steps import Steps

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


class HasIdColumn(Protocol):
    """How SQLAlchemy declares an id, ``Mapped[int]``: of a user it is an id."""

    def __get__(self, instance: object, owner: Any, /) -> AnyId:
        """Of one user."""
        ...


class HasNameColumn(Protocol):
    """How SQLAlchemy declares a name."""

    def __get__(self, instance: object, owner: Any, /) -> str | None:
        """Of one user."""
        ...


class HasIdAndName(Protocol):
    """A user object, such as a Django or SQLAlchemy model."""

    @property
    def id(self) -> AnyId | HasIdColumn:
        """A number, a text or a UUID."""
        ...

    @property
    def name(self) -> str | HasNameColumn | None:
        """None if the user has not given one."""
        ...


User = HasIdAndName | Mapping[str, object]
"""An object with ``id`` and ``name``, or a mapping with these keys; the rest is not read."""


def new_token() -> str:
    """Make a token nobody can guess: 32 characters of ``A-Z a-z 0-9 - _``.

    None begins with ``-``, which a command line would take for an option.
    """
    token = secrets.token_urlsafe(_NEW_TOKEN_BYTES)
    return new_token() if token.startswith("-") else token


def issue_steps(
    journaling: Journaling, token: str, user: User, group_ids: Iterable[AnyId], ttl: int | None
) -> Steps:
    """Let the holder of a token in as a user, and remember that the token is this user's.

    Args:
        journaling: Runs scripts.
        token: See ``_key``.
        user: Whom clients with this token are.
        group_ids: Groups whose rooms these clients join.
        ttl: Seconds until the token is forgotten, 1 or more. None keeps it for ever.

    Raises:
        InvalidMessage: If an argument is wrong.
    """
    plain = store_command(token, user, group_ids, ttl)
    _, key, body, *_ = plain.words
    user_id, _ = _identity(user)
    life = "" if ttl is None else ttl
    if journaling.is_cluster:
        return issue(journaling, plain, f"{TOKENS}{user_id}", token, life)
    script = journaling.run(ISSUE, (f"{TOKENS}{user_id}", str(key)), token, body, life)
    return journaling.unless_refused(script, lambda _: one(plain))


def store_command(token: str, user: User, group_ids: Iterable[AnyId], ttl: int | None) -> Command:
    """Let the holder of a token in as a user; arguments as for ``issue_steps``.

    Returns:
        ``SET /current_users/<token>`` with ``{"name":...,"group_ids":[...],"id":...}``, which
        overwrites what was stored before, its TTL included.
    """
    key = _key(token)
    user_id, name = _identity(user)
    document = {"name": name, "group_ids": checked_ids("group_ids", group_ids), "id": user_id}
    words = ("SET", key, payload("user or group_ids", document))
    return Command(words if ttl is None else (*words, "EX", positive_int("ttl", ttl)))


def revoke_steps(journaling: Journaling, token: str) -> Steps:
    """Forget a token, then hang up on who came with it. The result is whether it was known.

    Raises:
        InvalidMessage: If it could never have been a token.
    """
    key = _key(token)
    order = hang_up_token(token)
    _, channel, body = order.words
    if journaling.is_cluster:
        steps = revoke(journaling, key, order)
    else:
        script = journaling.run(REVOKE, (key,), channel=channel, payload=body)
        steps = journaling.unless_refused(script, lambda _: revoke(journaling, key, order))
    return journaling.watched([order], steps)


def revoke_user_steps(journaling: Journaling, user_id: AnyId) -> Steps:
    """Forget all tokens that were issued to a user, then hang up. The result is their number.

    Raises:
        InvalidMessage: If the id is wrong.
    """
    user_id = checked_id("user_id", user_id)
    order = hang_up_user(user_id)
    _, channel, body = order.words
    known = f"{TOKENS}{user_id}"
    if journaling.is_cluster:
        steps = revoke_user(journaling, known, user_id, order)
    else:
        steps = journaling.run(REVOKE_USER, (known,), user_id, channel=channel, payload=body)
    return journaling.watched([order], steps)


def replace_groups_steps(
    journaling: Journaling, user_id: AnyId, group_ids: Iterable[AnyId]
) -> Steps:
    """Rewrite all records that were issued for a user, and move the clients.

    The result is the number of records.

    Raises:
        InvalidMessage: If an id is wrong.
    """
    user_id = checked_id("user_id", user_id)
    groups = list(dict.fromkeys(checked_ids("group_ids", group_ids)))
    order = set_groups(user_id, groups)
    _, channel, body = order.words
    known, written = f"{TOKENS}{user_id}", payload("group_ids", groups)
    if journaling.is_cluster:
        steps = replace_groups(journaling, known, user_id, written, order)
    else:
        steps = journaling.run(
            REPLACE_GROUPS, (known,), user_id, written, channel=channel, payload=body
        )
    return journaling.watched([order], steps)


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


def _identity(user: User) -> tuple[Id, str | None]:
    try:
        if isinstance(user, Mapping):
            user_id, name = user["id"], user["name"]
        else:
            with reading("user"):
                user_id, name = user.id, user.name
    except (AttributeError, KeyError):
        # Not chained: a KeyError or AttributeError may hold the user.
        problem = "must have id and name"
    else:
        if name is None or isinstance(name, str):
            return checked_id("user id", user_id), name
        problem = f"must have a str or None as name, not {type(name).__name__}"
    raise InvalidMessage("user", problem)
