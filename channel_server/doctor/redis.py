"""Is Redis there, does it deliver, can the journal be kept?"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Final

from channel_server.adapters.examination import Examination
from channel_server.adapters.refusals import remedy_for
from channel_server.config import masked
from channel_server.core import users
from channel_server.doctor.finding import Finding, ill, unasked, well
from channel_server.errors import MalformedUser, RedisLost, RedisRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from channel_server.adapters.examination import Keeping

_REDIS: Final = "Redis"
_OLDEST: Final = (5, 0)
_MAX_SKEW_S: Final = 2.0


async def examine_redis(
    url: str, *, variable: str, journal: str, has_documents: bool, token: str | None
) -> AsyncIterator[Finding]:
    """Look at Redis. Nothing of a token or a user is said but how many groups there are.

    Args:
        url: Of the Redis.
        variable: Which one has the URL.
        journal: ``JOURNAL``.
        has_documents: ``COLLAB_REDIS``.
        token: A channel token to look up; None for none.
    """
    try:
        examination = await Examination.begin(url)
    except RedisLost as error:
        yield ill(
            _REDIS,
            f"{masked(url)} cannot be used: {error.reason}",
            remedy_for(error.reason, variable),
        )
        return
    try:
        yield judge_version(await examination.version(), masked(url), journal)
        yield await _clock(examination)
        yield await _echo(examination)
        yield await _journal(examination, journal)
        if has_documents:
            yield judge_keeping(await examination.keeping())
        yield await (_users(examination) if token is None else _token(examination, token))
    except RedisLost as error:
        yield ill(
            _REDIS, f"the connection was lost: {error.reason}", remedy_for(error.reason, variable)
        )
    finally:
        examination.close()


def judge_version(version: tuple[str, int, int] | None, url: str, journal: str) -> Finding:
    """What to say of a version of Redis or Valkey; None if it keeps that to itself."""
    if version is None:
        return unasked(_REDIS, f"{url} answers, and does not say its version")
    name, *numbers = version
    text = ".".join(map(str, numbers))
    if tuple(numbers) < _OLDEST and journal == "redis":
        return ill(_REDIS, f"version {text} has no streams", "use 5.0 or newer, or JOURNAL=memory")
    return well(_REDIS, f"{url} answers, {name.capitalize()} {text}, journal {journal}")


async def _clock(examination: Examination) -> Finding:
    try:
        skew_s = await examination.now_s() - time.time_ns() / 1e9
    except RedisRefused as error:
        return ill("Clock", f"Redis does not tell its time: {error.code}", remedy_for(error.code))
    return judge_skew(skew_s)


def judge_skew(skew_s: float) -> Finding:
    """What to say of two clocks that are so many seconds apart."""
    what = "Clock"
    if abs(skew_s) > _MAX_SKEW_S:
        said = f"this machine and that of Redis are {abs(skew_s):.0f} s apart"
        return ill(what, said, "switch on time synchronisation (NTP) on both")
    return well(what, f"{abs(skew_s) * 1000:.0f} ms apart from Redis")


async def _echo(examination: Examination) -> Finding:
    what = "Publish and subscribe"
    try:
        seconds = await examination.echo_s()
    except RedisRefused as error:
        return ill(what, f"refused: {error.code}", remedy_for(error.code))
    except RedisLost as error:
        return ill(what, error.reason, remedy_for(error.reason))
    return well(what, f"a message was heard after {seconds * 1000:.1f} ms")


async def _journal(examination: Examination, journal: str) -> Finding:
    what = "Journal"
    if journal != "redis":
        return unasked(what, f"JOURNAL={journal}: nothing is kept in Redis")
    try:
        await examination.try_journal()
    except RedisRefused as error:
        return ill(what, f"cannot be written: {error.code}", remedy_for(error.code))
    return well(what, "can be written, read and trimmed")


def judge_keeping(keeping: Keeping) -> Finding:
    """What to say of a Redis that is to keep documents."""
    what = "Documents"
    if keeping.policy is None:
        return unasked(what, "Redis does not say whether it keeps them (INFO)")
    losses = []
    if keeping.policy != "noeviction":
        losses.append(f"drops some when it is full (maxmemory-policy {keeping.policy})")
    if keeping.is_on_disk is False:
        losses.append("loses all in a restart")
    if losses:
        said = f"Redis {' and '.join(losses)}, but for those that are open"
        remedy = (
            "keep them in a file (COLLAB_DATABASE), or in a Redis with maxmemory-policy noeviction"
            " and appendonly yes"
        )
        return ill(what, said, remedy)
    return well(what, "Redis drops none" + (" and writes them to disk" * bool(keeping.is_on_disk)))


async def _users(examination: Examination) -> Finding:
    try:
        await examination.who_is(f"doctor-{secrets.token_hex(8)}")
    except RedisRefused as error:
        return ill("Users", f"cannot be looked up: {error.code}", remedy_for(error.code))
    return well("Users", "can be looked up")


async def _token(examination: Examination, token: str) -> Finding:
    what = "Token"
    if not users.is_token(token):
        return ill(what, "that is no token", "it is `channel_token` in the page's `/boot` answer")
    try:
        identity = await examination.who_is(token)
    except MalformedUser as error:
        return ill(
            what, str(error), 'the application has to store {"id": ..., "group_ids": [...]}'
        )
    except RedisRefused as error:
        return ill(what, f"cannot be looked up: {error.code}", remedy_for(error.code))
    if identity is None:
        return ill(
            what,
            "Redis knows no user for it: whoever has it is a visitor",
            "load the page again; does the application write to this Redis?",
        )
    return well(what, f"a user with {len(identity.group_ids)} groups")
