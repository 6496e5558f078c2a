"""What was missed, at the pace of the client, without a hole between it and what is live."""

import asyncio
import contextlib

import pytest
import pytest_asyncio

from channel_server.core.journal import Tail
from channel_server.core.packets import text_packet
from channel_server.live.latecomers import Latecomers
from channel_server.live.replays import Replays
from channel_server.metrics import Metrics

pytestmark = pytest.mark.asyncio

ROOMS = ("notice", "group-7")
HELLO = text_packet(b"40{}")


class Session:
    """A client that reads when told to."""

    def __init__(self):
        self.texts = []
        self.unread_bytes = 0
        self.is_open = True
        self.is_paced = False
        self.goodbye = None

    def write(self, packet):
        assert self.is_open
        self.texts.append(packet.text)
        self.unread_bytes += len(packet.frame)

    def write_all(self, packets):
        for packet in packets:
            self.write(packet)

    def read(self):
        self.unread_bytes = 0

    def hang_up(self, reason):
        self.is_open = False
        self.goodbye = reason


@pytest.fixture
def metrics():
    return Metrics()


@pytest_asyncio.fixture
async def replays(tail, rooms, metrics):
    replays = Replays(tail, rooms, metrics=metrics, piece_bytes=1000)
    serving = asyncio.get_running_loop().create_task(replays.run())
    yield replays
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def fill(tail, first, last, size=300):
    for number in range(first, last + 1):
        tail.append(number << 64, "group-7", b"\x81\x05" + b"%0*d" % (size, number))


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a double has no event
            await asyncio.sleep(0.001)


async def test_a_short_story_ends_at_once_with_the_place_where_the_client_stands(
    replays, tail, rooms, metrics
):
    fill(tail, 1, 2, size=5)
    session = Session()

    replays.begin(session, HELLO, ROOMS, 1 << 64 | tail._base)

    assert session.texts == [b"40{}", b"00002", b'42["offset","e1:2-0"]']
    assert rooms.rooms(session) == ROOMS
    assert metrics.replayed == 1
    assert not session.is_paced


async def test_a_long_story_is_written_as_it_is_read(replays, tail, rooms):
    fill(tail, 1, 10)
    session = Session()

    replays.begin(session, HELLO, ROOMS, 0)

    assert len(session.texts) == 5  # hello, 1,000 bytes, and what it takes to pass them
    assert session.is_paced
    assert rooms.rooms(session) == ()
    await asyncio.sleep(0.1)
    assert len(session.texts) == 5

    for _ in range(4):
        before = len(session.texts)
        session.read()
        await until(lambda before=before: len(session.texts) > before or rooms.rooms(session))
    assert len(session.texts) == 12
    assert session.texts[-1] == b'42["offset","e1:10-0"]'
    assert rooms.rooms(session) == ROOMS
    assert not session.is_paced


async def test_who_does_not_read_holds_on_to_a_slice_of_the_past(rooms):
    tail = Tail(window_s=60, max_entries=10_000, max_bytes=1 << 30)
    tail.begin("e1", 0)
    replays = Replays(tail, rooms, metrics=Metrics(), piece_bytes=1000)
    fill(tail, 1, 2_000, size=10)
    session = Session()

    replays.begin(session, HELLO, ROOMS, 0)

    (replay,) = replays._under_way.values()
    assert len(replay.entries) < 256
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(replays.run())
        while not rooms.rooms(session):
            session.read()
            await asyncio.sleep(0.001)
        serving.cancel()
    assert [int(text) for text in session.texts[1:-1]] == list(range(1, 2_001))


async def test_what_happens_meanwhile_comes_before_it_joins(replays, tail, rooms):
    fill(tail, 1, 4)
    session = Session()
    replays.begin(session, HELLO, ROOMS, 0)
    fill(tail, 5, 5)

    while not rooms.rooms(session):
        session.read()
        await asyncio.sleep(0.001)

    numbers = [int(text) for text in session.texts[1:-1]]
    assert numbers == [1, 2, 3, 4, 5]


async def test_what_is_dropped_while_it_is_served_sends_the_client_away_to_ask_again(
    replays, tail
):
    """It was told that it recovers, and would miss something without a word."""
    fill(tail, 1, 10)
    session = Session()
    replays.begin(session, HELLO, ROOMS, 0)

    fill(tail, 11, 150)
    tail.gap(151 << 64)

    async with asyncio.timeout(5):
        while session.goodbye is None:
            session.read()
            await asyncio.sleep(0.001)
    assert session.goodbye == "replay overrun"


async def test_what_is_dropped_between_two_pieces_is_noticed(replays, tail):
    """Found in review: a piece ended with the last entry, and the journal turned over meanwhile."""
    fill(tail, 1, 1, size=1000)
    session = Session()
    replays.begin(session, HELLO, ROOMS, 0)
    assert session.is_paced

    fill(tail, 2, 150)
    session.read()

    await until(lambda: session.goodbye is not None)
    assert session.goodbye == "replay overrun"


async def test_who_goes_is_forgotten(replays, tail, rooms):
    fill(tail, 1, 10)
    gone, left = Session(), Session()
    replays.begin(gone, HELLO, ROOMS, 0)
    replays.begin(left, HELLO, ROOMS, 0)

    gone.is_open = False
    replays.forget(left)

    await until(lambda: not replays._under_way)
    assert not left.is_paced
    assert len(rooms) == 0


async def test_those_that_are_served_can_be_found_by_their_user(replays, tail):
    fill(tail, 1, 10)
    session = Session()
    replays.begin(session, HELLO, ("notice", "user-5", "group-7"), 0)

    assert replays.concerned("user-5") == [session]
    assert replays.concerned("user-6") == []


async def test_many_are_served_side_by_side(replays, tail, rooms):
    fill(tail, 1, 20)
    sessions = [Session() for _ in range(50)]
    for session in sessions:
        replays.begin(session, HELLO, ROOMS, 0)

    async with asyncio.timeout(5):
        while any(not rooms.rooms(session) for session in sessions):
            for session in sessions:
                session.read()
            await asyncio.sleep(0.001)

    assert all(len(session.texts) == 22 for session in sessions)


async def test_who_catches_up_in_trouble_is_sent_back_when_it_is_over(replays, tail):
    """It joins when others have been given what the journal will hold: it has missed that."""
    whole = asyncio.Event()
    whole.set()
    latecomers = Latecomers(whole)
    sending_away = asyncio.create_task(latecomers.run())
    fill(tail, 1, 10)
    session, in_time = Session(), Session()
    replays.begin(in_time, HELLO, ROOMS, 10 << 64 | tail._base, latecomers.note)
    replays.begin(session, HELLO, ROOMS, 1 << 64 | tail._base, latecomers.note)

    whole.clear()
    await until(lambda: session.read() or not session.is_paced)
    whole.set()
    await until(lambda: not session.is_open)

    assert session.goodbye == "journal healed"
    assert in_time.is_open
    sending_away.cancel()
