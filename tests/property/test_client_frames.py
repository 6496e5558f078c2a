"""Short messages take a way of their own: no client may see a difference."""

from itertools import accumulate, pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from channel_server.core.client_frames import LOST, missing_after
from channel_server.engine.options import Options
from channel_server.engine.server import Engine
from channel_server.engine.socket import Socket
from channel_server.errors import MalformedPacket
from tests.unit.engine.doubles import NoCrowd, Wire, frame

MAX_BYTES = 90


class Listener(Socket):
    """Keeps what it hears; of text it wants UTF-8 without a "!", and at "bye" it hangs up."""

    def __init__(self, host):
        super().__init__(host)
        self.heard = []

    def _may_speak(self, opcode):
        self.heard.append(opcode)
        return True

    def _message(self, data, *, is_text):
        if is_text and "!" in data.decode():
            raise MalformedPacket("too loud")
        self.heard.append((data, is_text))
        if data == b"bye":
            self.close(abort=True)

    def _ended(self, *, is_clean):
        self.heard.append(is_clean)
        self.close(abort=False)


class Parsed(Listener):
    """Has everything parsed."""

    def _took_short(self, data):
        del data
        return False


def listen(kind, pieces):
    """What is heard of some bytes, and what is answered."""
    engine = Engine(options=Options(max_payload=MAX_BYTES))
    engine.newcomers = NoCrowd()
    listener, wire = kind(engine), Wire()
    engine.doors.attach()
    listener.connection_made(wire)
    for piece in pieces:
        listener.data_received(piece)
    return listener.heard, wire.take(), wire.is_shut, wire.is_closed


payloads = (
    st.sampled_from([b"", b"3", b"a", b"!", b"\xff", b"\x03\xe8"])
    | st.integers(MAX_BYTES - 1, 130).map(lambda size: b"x" * size)
    | st.binary(max_size=5)
)
# Whole messages, fragments, close, ping, pong; and whatever the protocol does not know.
firsts = st.sampled_from([0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x88, 0x89, 0x8A])
frames = st.builds(frame, firsts, payloads, st.binary(min_size=4, max_size=4)) | st.builds(
    frame, st.integers(0, 255), payloads, is_masked=st.booleans()
)


@st.composite
def conversations(draw):
    """Some frames in pieces: a frame each, or cut anywhere."""
    said = draw(st.lists(frames, max_size=6))
    if draw(st.booleans()):
        return said
    data = b"".join(said)
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=6)) | {0, len(data)})
    return [data[start:end] for start, end in pairwise(cuts)]


@given(conversations())
@example([frame(0x81, b"a!"), frame(0x81, b"b")])
@example([frame(0x81, b"\xff"), frame(0x81, b"b")])
@example([frame(0x82, b"bye"), frame(0x82, b"b")])
@example([frame(0x02, b"a"), frame(0x81, b"b")])
@example([frame(0x02, b"a"), frame(0x89, b"p"), frame(0x80, b"b"), frame(0x81, b"c")])
@example([frame(0x88, b"\x03\xe8"), frame(0x81, b"b")])
@example([frame(0x81, b"x" * (MAX_BYTES + 1))])
@example([frame(0x82, b"a")[:6], frame(0x81, b"b"), frame(0x81, b"c")])
def test_it_makes_no_difference_who_reads_a_short_message(pieces):
    assert listen(Listener, pieces) == listen(Parsed, pieces)


@given(
    st.lists(st.integers(0, 300) | st.just(0xFFFF) | st.just(0x10000), min_size=1, max_size=4),
    st.data(),
)
def test_it_is_known_where_frames_begin(sizes, data):
    """However they are cut, unless it is in a header."""
    frames = [frame(0x82, bytes(size)) for size in sizes]
    ends = [0, *accumulate(map(len, frames))]
    stream = b"".join(frames)
    cuts = data.draw(st.sets(st.integers(0, len(stream)), max_size=4)) | {0, len(stream)}
    missing = 0

    for start, end in pairwise(sorted(cuts)):
        missing = missing_after(stream[start:end], missing)
        if missing == LOST:
            assert any(0 < end - begin < 10 for begin in ends)
            return
        assert end + missing in ends
