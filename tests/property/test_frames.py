"""Our frames, read by somebody else's parser."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

from channel_server.core.frames import binary_frame, is_binary, payload_of, text_frame

# Chance alone would hardly ever meet a boundary between two forms of the length.
sizes = st.sampled_from([124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537])
payloads = st.binary(max_size=300) | sizes.map(bytes)


def read(data, cuts=()):
    """Frames that a client sees when ``data`` comes in pieces."""
    parser = Protocol(CLIENT, state=OPEN, max_size=None)
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(places):
        parser.receive_data(data[start:end])
    assert parser.parser_exc is None
    return [(event.opcode, event.fin, bytes(event.data)) for event in parser.events_received()]


@given(st.text(max_size=300).map(str.encode) | sizes.map(bytes))
def test_text_frame_is_read_as_the_text_that_went_in(payload):
    assert read(text_frame(payload)) == [(Opcode.TEXT, True, payload)]


@given(payloads)
def test_binary_frame_is_read_as_the_bytes_that_went_in(payload):
    assert read(binary_frame(payload)) == [(Opcode.BINARY, True, payload)]


@given(st.lists(payloads, max_size=5), st.lists(st.integers(0, 10**6), max_size=5))
def test_frames_behind_each_other_stay_apart_however_they_are_cut(all_payloads, cuts):
    data = b"".join(binary_frame(payload) for payload in all_payloads)

    assert [payload for _, _, payload in read(data, cuts)] == all_payloads


@given(st.lists(payloads, min_size=1, max_size=3))
def test_payload_may_come_in_parts(parts):
    """The head of an event is made once, its body is the publisher's."""
    assert text_frame(*parts) == text_frame(b"".join(parts))


@given(payloads)
def test_payload_is_found_in_its_frame(payload):
    text, binary = text_frame(payload), binary_frame(payload)

    assert payload_of(text) == payload_of(binary) == payload
    assert (is_binary(text), is_binary(binary)) == (False, True)
