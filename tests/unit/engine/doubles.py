"""What stands around the engine in these tests: a wire, a browser, a clock. No network."""

import asyncio
import time

from websockets.protocol import CLIENT, OPEN, Protocol

from channel_server.core.frames import text_frame

PATIENCE_S = 5.0


class Clock:
    """Monotonic seconds that pass only when told to."""

    def __init__(self):
        self.now_s = 1_000.0

    def __call__(self):
        return self.now_s

    def advance(self, seconds):
        self.now_s += seconds


class Wire(asyncio.Transport):
    """A TCP connection that keeps what is written to it."""

    def __init__(self, peer="192.0.2.1"):
        super().__init__({"peername": (peer, 40_000)})
        self.written = bytearray()
        self.unread_bytes = 0
        self.high_water = self.low_water = None
        self.is_shut = False
        self.is_closed = False
        self.is_aborted = False
        self.protocol = None

    def write(self, data):
        self.written += data

    def take(self):
        """Return what was written since the last call."""
        data, self.written = bytes(self.written), bytearray()
        return data

    def write_eof(self):
        self.is_shut = True

    def close(self):
        self.is_closed = True

    def abort(self):
        self.is_closed = self.is_aborted = True

    def is_closing(self):
        return self.is_closed

    def set_protocol(self, protocol):
        self.protocol = protocol

    def set_write_buffer_limits(self, high=None, low=None):
        self.high_water, self.low_water = high, low

    def get_write_buffer_size(self):
        return self.unread_bytes

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


class Line:
    """A front as sessions and the endpoint see it: one HTTP connection with one request."""

    def __init__(self, peer="192.0.2.1", *, takes_gzip=False):
        self.peer = peer
        self.takes_gzip = takes_gzip
        self.replies = []
        self.refusals = []
        self.detached = []
        self.is_dropped = False
        self.unread_bytes = 0
        self.holder = None

    @property
    def is_held(self):
        return self.holder is not None

    @property
    def answer(self):
        """The only answer so far."""
        (response,) = self.replies
        return Answer(response)

    def hold(self, holder):
        self.holder = holder

    def reply(self, response):
        self.holder = None
        self.replies.append(response)

    def refuse(self, status, kind, body):
        self.refusals.append((status, kind, body))

    def detach(self, socket, head):
        self.detached.append((socket, head))

    def drop(self):
        self.is_dropped = True


class Answer:
    """One HTTP response, taken apart."""

    def __init__(self, response):
        head, _, self.body = response.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = dict(line.split(": ", 1) for line in lines)


class Browser:
    """The other end of a WebSocket, spoken by the client half of ``websockets``."""

    def __init__(self):
        self._protocol = Protocol(CLIENT, state=OPEN, max_size=None)

    def text(self, data, *, fin=True):
        self._protocol.send_text(data.encode(), fin)
        return self._sent()

    def binary(self, data, *, fin=True):
        self._protocol.send_binary(data, fin)
        return self._sent()

    def more(self, data, *, fin):
        self._protocol.send_continuation(data, fin)
        return self._sent()

    def ping(self, data):
        self._protocol.send_ping(data)
        return self._sent()

    def close(self):
        self._protocol.send_close(1000)
        return self._sent()

    def _sent(self):
        return b"".join(self._protocol.data_to_send())

    def frames(self, data):
        """Frames in what a server wrote, as (opcode name, payload)."""
        self._protocol.receive_data(data)
        events = self._protocol.events_received()
        return [(event.opcode.name, bytes(event.data)) for event in events]

    @property
    def close_code(self):
        """Why the server has closed, None if it has not."""
        close = self._protocol.close_rcvd
        return None if close is None else close.code


def frame(first, payload, mask=b"\1\2\3\4", *, is_masked=True):
    """A frame as a client writes it, whatever its first byte is and whatever is wrong with it."""
    size = len(payload)
    length = text_frame(payload)[1 : -size or None]
    if not is_masked:
        return bytes((first,)) + length + payload
    body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes((first, 0x80 | length[0])) + length[1:] + mask + body


async def until(condition):
    """Give the loop turns until a condition holds; fail the test if it does not in time."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0)


class NoCrowd:
    """Turns that nobody has to wait for, without a loop to count them by."""

    def may_pass(self):
        return True
