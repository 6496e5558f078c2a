"""Clients that stay: fresh offsets for those that hear nothing, fresh time for their tokens."""

import asyncio

import pytest

from channel_server.core.journal import Tail
from channel_server.live.upkeep import Upkeep

pytestmark = pytest.mark.asyncio


class Session:
    def __init__(self, query=""):
        self.query = query
        self.texts = []

    def write(self, packet):
        self.texts.append(packet.text)


class Tokens:
    def __init__(self):
        self.renewed = []

    def renew(self, owners):
        self.renewed.append(sorted(owners))


@pytest.fixture
def tokens():
    return Tokens()


@pytest.fixture
def sessions():
    return []


@pytest.fixture
def upkeep(sessions, rooms, tail, tokens):
    return Upkeep(lambda: list(sessions), rooms, tail, tokens)


def join(sessions, rooms, *names, token="t"):
    session = Session(f"EIO=4&channel_token={token}")
    sessions.append(session)
    rooms.join(session, names)
    return session


async def run(upkeep, condition, **every_s):
    """Keep up until a condition holds."""
    task = asyncio.get_running_loop().create_task(upkeep.run(**every_s))
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a double has no event
            await asyncio.sleep(0.001)
    task.cancel()


async def test_only_those_that_heard_nothing_are_told_where_they_stand(
    upkeep, sessions, rooms, tail
):
    """A quiet group on a busy site would else fall out of the journal."""
    quiet = join(sessions, rooms, "notice", "user-1", "group-1")
    busy = join(sessions, rooms, "notice", "user-2", "group-2")
    coming = Session()
    sessions.append(coming)
    seen = tail.key
    tail.append(5 << 64, "group-2", b"")

    upkeep._seed(sessions, seen=seen)

    assert quiet.texts == [b'42["offset","e1:5-0"]']
    assert busy.texts == coming.texts == []


async def test_every_walk_looks_at_what_came_since_the_one_before(upkeep, sessions, rooms, tail):
    session = join(sessions, rooms, "notice", "user-1")
    tail.append(1 << 64, "user-1", b"")

    await run(upkeep, lambda: len(session.texts) >= 2, seed_every_s=0.01, renew_every_s=60)

    assert set(session.texts) == {b'42["offset","e1:1-0"]'}


async def test_a_busy_site_tells_the_quiet_sooner(upkeep, sessions, rooms, tail):
    """Its journal is full long before it is old."""
    session = join(sessions, rooms, "notice", "user-1")

    def has_turned_over():
        position = (tail.position >> 64) + 1
        tail.append(position << 64, "group-2", b"")
        return session.texts

    every_s = {"seed_every_s": 60, "renew_every_s": 60, "look_every_s": 0.001}
    await run(upkeep, has_turned_over, **every_s)

    assert (tail.position >> 64) >= 25


async def test_without_a_journal_nobody_is_told_anything(sessions, rooms, tokens):
    tail = Tail(window_s=60, max_entries=100, max_bytes=1 << 20)
    session = join(sessions, rooms, "notice")

    Upkeep(lambda: sessions, rooms, tail, tokens)._seed(sessions, seen=0)

    assert session.texts == []


async def test_tokens_of_users_are_renewed_and_visitors_have_none(upkeep, sessions, rooms, tokens):
    join(sessions, rooms, "notice", "user-1", token="a%2Db")
    join(sessions, rooms, "notice", token="unknown")

    await run(upkeep, lambda: tokens.renewed, seed_every_s=60, renew_every_s=0.01)

    assert tokens.renewed[0] == [("a-b", "1")]


async def test_tokens_of_those_that_leave_together_are_renewed_together(
    upkeep, sessions, rooms, tokens
):
    for number in range(1, 4):
        upkeep.departed(join(sessions, rooms, "notice", f"user-{number}", token=f"t{number}"))
    upkeep.departed(join(sessions, rooms, "notice", token="visitor"))
    upkeep.departed(Session())

    await asyncio.sleep(0)

    assert tokens.renewed == [[("t1", "1"), ("t2", "2"), ("t3", "3")]]
