"""The codec of documents, and the look that strangers' bytes get, with any bytes."""

import contextlib
import time

import pycrdt
from hypothesis import example, given
from hypothesis import strategies as st

from channel_server.collab.awareness import Awareness
from channel_server.collab.lib0 import Reader, buffer, string, uint
from channel_server.collab.merging import glance, merge
from channel_server.collab.skim import Look, is_broken_state, look_at_update
from channel_server.errors import MalformedFrame

NUMBERS = st.integers(0, 2**53 - 1)
JSON = st.sampled_from(["null", "{}", '{"a":1}', '"😀"', "1", "{"])


@given(st.lists(NUMBERS | st.binary(max_size=300) | st.text(max_size=300)))
def test_what_was_written_is_read(values):
    write = {int: uint, bytes: buffer, str: string}
    reader = Reader(b"".join(write[type(value)](value) for value in values))
    read = {int: reader.uint, bytes: reader.buffer, str: reader.string}

    assert [read[type(value)]() for value in values] == values
    assert reader.left == 0


@given(st.binary(), st.lists(st.sampled_from(["uint", "byte", "buffer", "string"])))
def test_any_bytes_are_read_or_refused(data, methods):
    reader = Reader(data)
    for method in methods:
        try:
            getattr(reader, method)()
        except MalformedFrame:
            return
        assert 0 <= reader.left <= len(data)


def edits():
    """Updates of somebody who types."""
    document = pycrdt.Doc(client_id=2**31 + 7)
    updates = []
    subscription = document.observe(lambda event: updates.append(event.update))
    text = document.get("text", type=pycrdt.Text)
    for word in ("Hello ", "wörld", "! "):
        text += word
    text.format(0, 5, {"bold": True})
    del text[2:4]
    document.get("config", type=pycrdt.Map)["flag"] = {"nested": [1, "x", None]}
    document.unobserve(subscription)
    return updates


UPDATES = edits()


@st.composite
def mutated(draw):
    """An update in which some bytes are others, or missing, or more."""
    update = bytearray(draw(st.sampled_from([*UPDATES, merge(*UPDATES).run()])))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(update)))
        update[at : at + draw(st.integers(0, 3))] = draw(
            st.binary(max_size=3) | st.just(b"\xff\xff\xff\x7f") | st.just(b"\xff\xff\xff\xff\x0f")
        )
    return bytes(update)


@given(mutated() | st.binary(max_size=100))
@example(b"\xff\xff\xff\x7f\0")
def test_what_is_let_through_does_no_harm(update):
    """And it is let through only if it can be merged, or at least be refused, in no time."""
    look = look_at_update(update)
    if look is Look.HARMLESS:
        started = time.thread_time()
        glance(update).run()
        merged = merge(merge(*UPDATES).run(), update).run()
        assert merge(merged, update).run() == merged
        assert time.thread_time() - started < 0.1


@given(st.binary(max_size=50))
def test_state_vector_that_is_let_through_does_no_harm(state):
    if not is_broken_state(state):
        with contextlib.suppress(ValueError):
            pycrdt.get_update(merge(*UPDATES).run(), state)


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), JSON), max_size=4),
            st.sampled_from(["Ann", "Ben", None]),
        )
    )
)
def test_awareness_never_goes_back(updates):
    awareness = Awareness(lambda: 0.0)
    clocks = {}
    for states, owner in updates:
        encoded = uint(len(states)) + b"".join(
            uint(client) + uint(clock) + string(state) for client, clock, state in states
        )
        with contextlib.suppress(MalformedFrame):
            awareness.apply(encoded, owner)
        for client, told in awareness._told.items():
            assert told.clock >= clocks.get(client, 0)
            clocks[client] = told.clock
    assert awareness._size == sum(len(told.state or b"") for told in awareness._told.values())
    assert awareness.is_empty == (not awareness.present)
