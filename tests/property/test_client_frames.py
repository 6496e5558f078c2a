"""Short messages take a way of their own: no client may see a difference."""

from itertools import accumulate, pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from channel_server.core.client_frames import LOST, missing_after
from channel_server.engine.options import Options
from channel_server.engine.server import Engine
from channel_server.engine.socket import Socket
from channel_server.errors import MalformedPacket
from tests.unit.engine.doubles import Browser, NoCrowd, Wire

MAX_BYTES = 90


class Listener(Socket):
    """Keeps what it hears; of text it wants UTF-8 without a "!"."""

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

    def _ended(self, *, is_clean):
        self.heard.append(is_clean)
        self.close(abort=False)


class Parsed(Listener):
    """Has everything parsed."""

    def _is_short(self, data):
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


texts = st.text(max_size=5) | st.integers(MAX_BYTES - 1, 130).map(lambda size: "x" * size)
kinds = {
    "text": lambda browser, text: browser.text(text),
    "binary": lambda browser, text: browser.binary(text.encode()),
    "fragments": lambda browser, text: (
        browser.text(text, fin=False) + browser.more(b"b", fin=True)
    ),
    "unfinished": lambda browser, text: browser.binary(text.encode(), fin=False),
    "bad text": lambda browser, _: browser.binary(b"\xff").replace(b"\x82", b"\x81", 1),
    "ping": lambda browser, _: browser.ping(b"p"),
    "junk": lambda _, text: text.encode(),
}
saids = st.lists(st.tuples(st.sampled_from(sorted(kinds)), texts), max_size=5)


@st.composite
def conversations(draw):
    """Some frames, well formed for the most part, in pieces: mostly a frame each."""
    said = draw(saids)
    frames = [kinds[kind](Browser(), text) for kind, text in said]
    if draw(st.booleans()):
        return frames
    data = b"".join(frames)
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=6)) | {0, len(data)})
    return [data[start:end] for start, end in pairwise(cuts)]


@given(conversations())
@example([Browser().text("a!"), Browser().text("b")])
@example([Browser().binary(b"a", fin=False), Browser().text("b")])
@example([Browser().text("x" * (MAX_BYTES + 1))])
@example([Browser().text("a")[:6], Browser().text("b"), Browser().text("c")])
def test_it_makes_no_difference_who_reads_a_short_message(pieces):
    assert listen(Listener, pieces) == listen(Parsed, pieces)


@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=4), st.data())
def test_it_is_known_where_frames_begin(sizes, data):
    """However they are cut, unless it is in a header."""
    frames = [Browser().binary(bytes(size)) for size in sizes]
    ends = [0, *accumulate(map(len, frames))]
    stream = b"".join(frames)
    cuts = data.draw(st.sets(st.integers(0, len(stream)), max_size=4)) | set(ends)
    missing = 0

    for start, end in pairwise(sorted(cuts)):
        missing = missing_after(stream[start:end], missing)
        if missing == LOST:
            assert any(0 < end - begin < 10 for begin in ends)
            return
        assert end + missing in ends
