"""Which room an alias leads to, and how often a homeserver is asked for it."""

import asyncio

import pytest
import pytest_asyncio

from channel_server.bots.messages import Bot
from channel_server.errors import MatrixBusy
from tests.matrix.homeserver import answering
from tests.matrix.writing import Writing

pytestmark = pytest.mark.asyncio
ALIAS = "#hall:fake"


@pytest_asyncio.fixture
async def writing(fake):
    fake.aliases[ALIAS] = "!old:fake"
    async with Writing(Bot(fake.url, "token")) as writing:
        yield writing


def rooms(fake):
    """Where the messages went."""
    return [room.partition(":")[0] for room, _ in fake.events]


async def test_a_burst_costs_one_look_up(fake, writing):
    for number in range(20):
        await writing.write(ALIAS, str(number))
    assert rooms(fake) == ["!old"] * 20
    assert len(fake.asked) == 21


async def test_bots_that_write_at_once_share_a_look_up(fake, writing):
    """Found by running against a homeserver that counts: each bot of a room asked for itself."""
    bots = [Bot(fake.url, f"token-{number}") for number in range(5)]
    await asyncio.gather(*(writing.write(ALIAS, bot.token, bot=bot) for bot in bots))
    assert rooms(fake) == ["!old"] * 5
    assert len(fake.paths("/directory/")) == 1


async def test_a_look_up_that_fails_is_not_shared(fake, writing):
    """What a homeserver says to one bot may not be true for another one."""
    fake.broken_aliases.add(ALIAS)
    bots = [Bot(fake.url, f"token-{number}") for number in range(3)]
    ended = await asyncio.gather(
        *(writing.write(ALIAS, "lost", bot=bot) for bot in bots), return_exceptions=True
    )
    assert [type(error) for error in ended] == [MatrixBusy] * 3
    assert len(fake.paths("/directory/")) == 3
    fake.broken_aliases.clear()
    await writing.write(ALIAS, "hello")
    assert rooms(fake) == ["!old"]


async def test_an_alias_is_looked_up_again_after_a_minute(fake, writing):
    """Found by running against a homeserver that moves an alias: ten minutes went to the old room."""
    await writing.write(ALIAS, "one")
    fake.aliases[ALIAS] = "!new:fake"
    writing.now_s = 59.9
    await writing.write(ALIAS, "two")
    writing.now_s = 60.0
    await writing.write(ALIAS, "three")
    assert rooms(fake) == ["!old", "!old", "!new"]
    assert len(fake.paths("/directory/")) == 2


async def test_an_alias_is_looked_up_again_when_its_room_has_a_tombstone(fake, writing):
    """Found by running against Synapse: the old room still takes the messages of a moderator."""
    await writing.write(ALIAS, "one")
    fake.tombstones.add("!old:fake")
    fake.aliases[ALIAS] = "!new:fake"
    writing.now_s = 1.0
    for _ in range(20):
        await writing.write(ALIAS, "two")
    assert rooms(fake) == ["!old"] + ["!new"] * 20
    assert len(fake.paths("/directory/")) == 2
    assert len(fake.paths("m.room.tombstone")) == 1


async def test_bots_that_are_refused_at_once_share_a_look_up(fake, writing):
    await writing.write(ALIAS, "one")
    fake.closed.add("!old:fake")
    fake.aliases[ALIAS] = "!new:fake"
    bots = [Bot(fake.url, f"token-{number}") for number in range(5)]
    await asyncio.gather(*(writing.write(ALIAS, bot.token, bot=bot) for bot in bots))
    assert rooms(fake) == ["!old"] + ["!new"] * 5
    assert len(fake.paths("/directory/")) == 2


async def test_a_room_is_asked_for_its_tombstone_once_a_second(fake, writing):
    for second in range(3):
        writing.now_s = float(second)
        for _ in range(10):
            await writing.write(ALIAS, "hello")
    assert rooms(fake) == ["!old"] * 30
    assert len(fake.paths("m.room.tombstone")) == 2
    assert len(fake.paths("/directory/")) == 1


async def test_a_room_with_a_tombstone_is_written_to_while_the_alias_leads_there(fake, writing):
    fake.tombstones.add("!old:fake")
    for second in range(3):
        writing.now_s = float(second)
        await writing.write(ALIAS, "hello")
    fake.aliases[ALIAS] = "!new:fake"
    writing.now_s = 3.0
    await writing.write(ALIAS, "hello")
    assert rooms(fake) == ["!old"] * 3 + ["!new"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answering(403, {"errcode": "M_FORBIDDEN"}), id="may not"),
        pytest.param(answering(404, text="<html>no such page</html>"), id="unknown"),
        pytest.param(answering(429, {"errcode": "M_LIMIT_EXCEEDED"}), id="too often"),
        pytest.param(answering(500), id="broken"),
    ],
)
async def test_a_tombstone_that_cannot_be_read_is_none(fake, writing, fault):
    fake.tombstone_fault = fault
    await writing.write(ALIAS, "one")
    writing.now_s = 1.0
    await writing.write(ALIAS, "two")
    assert fake.bodies == ["one", "two"]
    assert len(fake.paths("/directory/")) == 1


async def test_a_room_that_is_named_by_its_id_is_asked_for_nothing(fake, writing):
    for second in range(3):
        writing.now_s = float(second)
        await writing.write("!old:fake", "hello")
    assert len(fake.asked) == 3
