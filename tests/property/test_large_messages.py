"""Large messages are shortened, whatever fragments and pieces they come in; others are left alone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, SERVER, Protocol

from channel_server.core import large_messages
from channel_server.core.large_messages import LargeMessages, are_small

MAX, KEPT, MAX_PAST = 400, 150, 5_000

sizes = st.integers(0, 130) | st.integers(0, 2 * MAX)
messages = st.lists(st.lists(sizes, min_size=1, max_size=4), max_size=4)


@pytest.fixture(autouse=True, scope="module")
def _small_bounds():
    patch = pytest.MonkeyPatch()
    patch.setattr(large_messages, "KEPT_BYTES", KEPT)
    patch.setattr(large_messages, "_LEAST_BYTES", 1)
    patch.setattr(large_messages, "MAX_PAST_BYTES", MAX_PAST)
    yield
    patch.undo()


def encoded(fragments, *, pings):
    """A message in fragments, perhaps with pings between; the bytes count up, to see what is whose."""
    frames, at = [], 0
    for number, size in enumerate(fragments):
        opcode = Opcode.CONT if number else Opcode.BINARY
        data = bytes((at + place) % 251 for place in range(size))
        frames.append(Frame(opcode, data, fin=number == len(fragments) - 1))
        at += size
        if pings:
            frames.append(Frame(Opcode.PING, b"p"))
    return b"".join(frame.serialize(mask=True) for frame in frames)


class Reader:
    """Parses what is passed on, and joins fragments."""

    def __init__(self):
        self.large = LargeMessages(MAX)
        self.parser = Protocol(SERVER, state=OPEN, max_size=MAX)
        self.messages = []
        self.parts = b""
        self.pings = 0
        self.passed = 0

    def take(self, data):
        for piece in self.large.take(data):
            self.passed += len(piece.data)
            self.parser.receive_data(piece.data)
            for frame in self.parser.events_received():
                self._frame(frame, is_shortened=piece.ends_shortened)

    def _frame(self, frame, *, is_shortened):
        if frame.opcode is Opcode.PING:
            self.pings += 1
            return
        self.parts += bytes(frame.data)
        if frame.fin:
            self.messages.append((self.parts, is_shortened))
            self.parts = b""


def cut(data, places):
    places = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(places)]


@given(messages, st.lists(st.integers(0, 10_000), max_size=12), st.booleans())
def test_what_is_too_large_is_shortened_and_nothing_else(fragmented, places, pings):
    reader = Reader()
    for piece in cut(b"".join(encoded(each, pings=pings) for each in fragmented), places):
        reader.take(piece)

    assert reader.parser.state is OPEN
    assert len(reader.messages) == len(fragmented)
    for fragments, (data, is_shortened) in zip(fragmented, reader.messages, strict=True):
        whole = bytes(place % 251 for place in range(sum(fragments)))
        assert is_shortened is (len(whole) > MAX)
        assert data == whole if len(whole) <= MAX else whole.startswith(data)
        assert len(data) <= MAX
        if fragments[0] > MAX:
            assert len(data) == KEPT
    assert reader.pings == (sum(map(len, fragmented)) if pings else 0)
    assert reader.large.is_between


@pytest.mark.parametrize("fragments", [[MAX_PAST + 1], [1, MAX_PAST], [MAX + 1] * 20])
def test_what_is_much_too_large_is_refused_by_the_parser(fragments):
    reader = Reader()

    reader.take(encoded(fragments, pings=False))

    assert reader.parser.state is not OPEN
    assert reader.parser.close_sent.code == 1009


def test_what_is_read_past_is_not_passed_on():
    reader = Reader()
    data = encoded([MAX_PAST], pings=False)
    for piece in (data[start : start + 100] for start in range(0, len(data), 100)):
        reader.take(piece)

    assert reader.messages == [(bytes(place % 251 for place in range(KEPT)), True)]
    assert reader.passed < KEPT + 20


@given(messages, st.booleans(), st.integers(0, 20))
def test_small_messages_need_not_be_followed(fragmented, pings, missing):
    """Whatever is taken for small would have been passed on as it is, and leaves nothing behind."""
    data = b"".join(encoded(each, pings=pings) for each in fragmented)
    data = data[: len(data) - missing] if missing else data
    large = LargeMessages(70_000)
    passed = b"".join(piece.data for piece in large.take(data))

    if are_small(data):
        assert passed == data
        assert large.is_between
    elif not missing:
        assert any(len(fragments) > 1 for fragments in fragmented)


@given(st.binary(max_size=60))
def test_bytes_that_are_taken_for_small_leave_nothing_behind(data):
    if are_small(data):
        large = LargeMessages(70_000)
        assert b"".join(piece.data for piece in large.take(data)) == data
        assert large.is_between


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_are_read(pieces):
    large = LargeMessages(MAX)

    for piece in pieces:
        assert sum(len(passed.data) for passed in large.take(piece)) <= len(piece) + 30
