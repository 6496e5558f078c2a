"""Tokens in a Redis Cluster, where each may be at another node than the journal.

What is one script elsewhere takes several steps here. Whichever is the last that was done, a repetition
does the rest: a token is noted before it is stored, and forgotten before clients are told. Steps of
several calls may alternate: a token is noted again when it is stored, and who has struck one off the
list that was not there looks once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from publisher.command import Command
from publisher.contract import CURRENT_USERS
from publisher.errors import RedisRefused
from publisher.token_scripts import FORGET, NOTE, REGROUP

if TYPE_CHECKING:
    from publisher.contract.ids import Id
    from publisher.journaling import Journaling
    from publisher.steps import Steps


def issue(
    journaling: Journaling, plain: Command, known: str, token: str, life: int | str
) -> Steps:
    """Note a token as a user's, and store it.

    Args:
        journaling: Runs scripts.
        plain: Stores it.
        known: Key of the user's tokens.
        token: The token.
        life: Seconds, or "" for ever.
    """
    some = yield from journaling.run_at(NOTE, known, token, life)
    yield plain
    yield from journaling.run_at(NOTE, known, token, life)
    for other in map(_text, some):
        if not (yield Command(("EXISTS", CURRENT_USERS + other))):
            yield from _strike_off(journaling, known, other)
    return 1


def revoke(journaling: Journaling, key: str, order: Command) -> Steps:
    """Forget a token, then publish an order. The result is whether it was known."""
    count = yield Command(("DEL", key))
    yield from _announce(journaling, order)
    return count


def revoke_user(journaling: Journaling, known: str, user_id: Id, order: Command) -> Steps:
    """Forget the tokens of a user, then publish an order. The result is their number.

    Args:
        journaling: Runs scripts.
        known: Key of the user's tokens.
        user_id: The user.
        order: The order.
    """
    count = 0
    tokens = yield Command(("SMEMBERS", known))
    for token in map(_text, tokens):
        count += yield from journaling.run_at(FORGET, CURRENT_USERS + token, user_id)
    yield from _announce(journaling, order)
    for token in map(_text, tokens):
        yield from _strike_off(journaling, known, token)
    return count


def replace_groups(
    journaling: Journaling, known: str, user_id: Id, groups: bytes, order: Command
) -> Steps:
    """Rewrite the records of a user, then publish an order. The result is their number.

    Args:
        journaling: Runs scripts.
        known: Key of the user's tokens.
        user_id: The user.
        groups: Ids, as JSON.
        order: The order.
    """
    count = 0
    for token in map(_text, (yield Command(("SMEMBERS", known)))):
        found = yield from journaling.run_at(REGROUP, CURRENT_USERS + token, user_id, groups)
        if found == 1:
            count += 1
        elif found == -1:
            yield from _strike_off(journaling, known, token)
    yield from _announce(journaling, order)
    return count


def _announce(journaling: Journaling, order: Command) -> Steps:
    """Publish an order about what is done by now.

    Raises:
        RedisRefused: Which says so.
    """
    try:
        yield from journaling.publish_unwatched(order)
    except RedisRefused as refused:
        raise RedisRefused(
            refused.code, refused.advice, missing=refused.missing, is_in_script=True
        ) from refused


def _strike_off(journaling: Journaling, known: str, token: str) -> Steps:
    yield Command(("SREM", known, token))
    if (yield Command(("EXISTS", CURRENT_USERS + token))):  # stored meanwhile
        yield from journaling.run_at(NOTE, known, token, "")


def _text(token: bytes | str) -> str:
    return token.decode() if isinstance(token, bytes) else token
