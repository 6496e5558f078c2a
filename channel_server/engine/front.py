"""One TCP connection as it comes in: aiohttp parses it, we answer the Socket.IO path ourselves.

This is the one module that reaches into aiohttp. ``aiohttp.web_protocol.RequestHandler`` keeps
its parser and serves every other path; requests for the Socket.IO path are taken out before
aiohttp builds a task, a request and a response for them. A request costs 48 µs that way instead
of 95 (docs/decisions/0001), and an accepted WebSocket leaves aiohttp for good.
``tests/unit/engine/test_front_shape.py`` fails when aiohttp's shape changes.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, cast

from aiohttp.http import HttpProcessingError, HttpVersion11
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web import HTTPException
from aiohttp.web import Request as AiohttpRequest
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_urldispatcher import SystemRoute

from channel_server.engine.addresses import UNIX_PEER
from channel_server.engine.http import JSON, TEXT, Refusal, with_connection
from channel_server.engine.request import Request
from channel_server.engine.turns import FirstWords

if TYPE_CHECKING:
    import asyncio

    from aiohttp.http_parser import RawRequestMessage
    from aiohttp.streams import StreamReader
    from aiohttp.web import BaseRequest, Server, StreamResponse

    from channel_server.engine.host import Host
    from channel_server.engine.polling import Polling
    from channel_server.engine.socket import Socket

_MAX_PIPELINED: Final = 16
_FOR_EVER_S: Final = 10.0**9
_MAX_HEAD_LINE: Final = 16_384  # as in Node: a token of 10 KB is a visitor's, not an error
_MAX_HEADERS: Final = 128
_MAX_AHEAD_BYTES: Final = 64 * 1024  # of a head that is not complete, or of pipelined requests
_TOO_MANY_HEADERS: Final = "Too many headers received"
_HEAD_TOO_LARGE: Final = (
    b"the head is too large: 128 headers, 16 KiB a line and 64 KiB in all are accepted"
)
_END_OF_HEAD: Final = b"\r\n\r\n"
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Front(RequestHandler):
    """HTTP on one connection; requests are answered one after the other, in order.

    States: idle → busy with one request (ours, or aiohttp's) → idle → …, or → detached.

    Args:
        host: Serves its own requests, such as those for the Socket.IO path.
        server: aiohttp's server, which serves every other path.
    """

    __slots__ = (
        "_ahead_bytes",
        "_body",
        "_current",
        "_first_words",
        "_holder",
        "_host",
        "_is_adopted",
        "_is_busy",
        "_is_detached",
        "_is_ending",
        "_queue",
        "_tail",
    )

    def __init__(self, host: Host, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=_FOR_EVER_S,  # idle connections are closed by the host
            access_log=None,  # type: ignore[arg-type]
            auto_decompress=False,
            max_line_size=_MAX_HEAD_LINE,
            max_field_size=_MAX_HEAD_LINE,
            max_headers=_MAX_HEADERS,
            read_bufsize=host.options.max_payload,
        )
        self._host = host
        self._queue: deque[tuple[RawRequestMessage, StreamReader]] = deque()
        self._current: RawRequestMessage | None = None
        self._body: StreamReader | None = None
        self._holder: Polling | None = None
        self._tail = b""
        self._ahead_bytes = 0
        self._is_adopted = False
        self._is_busy = False
        self._is_detached = False
        self._is_ending = False
        self._first_words: FirstWords | None = FirstWords(host.newcomers, self._start)

    # ── the connection ──────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept, or answer 503 when there are too many connections."""
        # Not RequestHandler's: its task and its timer are only made when aiohttp gets work.
        self.transport = cast("asyncio.Transport", transport)
        if not self._host.doors.enter(self):
            reply = self._host.replies.build(503, TEXT, b"too many connections", close=True)
            self.transport.write(reply)
            self.transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Tell whoever waits on this connection."""
        self._host.doors.leave(self)
        holder, self._holder = self._holder, None
        if holder is not None:
            holder.lost()
        self._queue.clear()
        self._let_go(exc)

    def _let_go(self, exc: BaseException | None = None) -> None:
        """End aiohttp's part, and break the cycle between its parser and this object."""
        if self._is_adopted:
            super().connection_lost(exc)
        self.transport = None
        self._body = None
        self._current = None
        self._first_words = None
        self._manager = None
        self._parser = None
        self._request_factory = None
        self._request_handler = None

    # ── requests ────────────────────────────────────────────────────────────────────────────

    def data_received(self, data: bytes) -> None:
        """Parse what came, and serve what is complete; the first words in their turn."""
        if self._first_words is None:
            self._take(data)
        else:
            self._first_words.hear(self.transport, data)

    def _start(self, data: bytes) -> None:
        self._first_words = None
        self._take(data)

    def _take(self, data: bytes) -> None:
        if self._force_close or self._close or self._is_ending or self._parser is None:
            return
        if self._upgraded:
            super().data_received(data)
        elif not self._parse(data):
            return
        elif self._body is not None:
            self._continue_body()
        else:
            self._next()

    def _parse(self, data: bytes) -> bool:
        """Parse what came. Return False if the connection has been ended for it."""
        is_pipelined = self._current is not None and self._body is None
        try:
            messages, is_upgrade, tail = cast("Any", self._parser).feed_data(data)
        except HttpProcessingError as error:
            if isinstance(error, LineTooLong) or error.message == _TOO_MANY_HEADERS:
                self.refuse(431, TEXT, _HEAD_TOO_LARGE)
            else:
                self.refuse(400, TEXT, b"bad request")
            return False
        self._queue.extend(messages)
        if is_upgrade:
            self._tail += tail
        is_ahead = is_pipelined or not (messages or self._is_busy)
        self._ahead_bytes = self._ahead_bytes + len(data) if is_ahead else 0
        is_head_too_large = self._ahead_bytes > _MAX_AHEAD_BYTES
        is_too_much = (
            len(self._queue) > _MAX_PIPELINED or len(self._tail) > self._host.options.max_payload
        )
        if is_head_too_large and not is_pipelined:
            self.refuse(431, TEXT, _HEAD_TOO_LARGE)
        elif is_head_too_large or is_too_much:
            self.refuse(400, TEXT, b"too much in one go")
        return not (is_head_too_large or is_too_much)

    def _next(self) -> None:
        """Begin requests until one of them has to wait for its answer."""
        while self._queue and not self._is_busy and not self._is_detached:
            message, payload = self._queue.popleft()
            self._is_busy = True
            self._host.doors.busy(self)
            path, _, query = message.path.partition("?")
            if self._host.endpoint.is_own(path, is_upgrade=message.upgrade):
                self._current = message
                cast("Any", self._parser).message_consumed()
                self._begin(message, query, payload)
            else:
                self._adopt(message, payload)

    def _begin(self, message: RawRequestMessage, query: str, payload: StreamReader) -> None:
        """Serve a request whose body is here; of the others, read those that are allowed one."""
        if message.compression is not None:
            self.refuse(415, TEXT, b"compressed bodies are not accepted")
        elif payload.is_eof():
            self._serve(query, payload)
        elif message.method != "POST":
            self.refuse(400, JSON, Refusal.BAD_HANDSHAKE_METHOD.body)
        elif self._is_too_long(message):
            self.refuse(413, TEXT, b"body is too long")
        elif self._host.endpoint.begin_post(self, query):
            self._body = payload
            self._host.doors.reading(self)
            if message.headers.get("Expect", "").lower() == "100-continue":
                cast("asyncio.Transport", self.transport).write(_CONTINUE)

    def _is_too_long(self, message: RawRequestMessage) -> bool:
        length = message.headers.get("Content-Length", "0")
        return not length.isdecimal() or int(length) > self._host.options.max_payload

    def _continue_body(self) -> None:
        """More of a POST has come."""
        body, message = self._body, self._current
        if body is None or message is None:
            return
        if body.total_bytes > self._host.options.max_payload:
            self.refuse(413, TEXT, b"body is too long")
        elif body.is_eof():
            self._body = None
            self._host.doors.read(self)
            self._host.endpoint.end_post(self._holder)
            self._serve(message.path.partition("?")[2], body)
            self._next()

    def _serve(self, query: str, payload: StreamReader) -> None:
        message = cast("RawRequestMessage", self._current)
        body = payload.read_nowait() if message.method == "POST" else b""
        if len(body) > self._host.options.max_payload:
            self.refuse(413, TEXT, b"body is too long")
            return
        request = Request(message.method, query, message.headers, bool(message.upgrade), body)
        self._host.endpoint.serve(self, request)

    # ── answers ─────────────────────────────────────────────────────────────────────────────

    def hold(self, holder: Polling) -> None:
        """Keep the request open; ``holder`` is told if the connection dies meanwhile."""
        self._holder = holder

    @property
    def unread_bytes(self) -> int:
        """What the client has not read yet."""
        return 0 if self.transport is None else self.transport.get_write_buffer_size()

    @property
    def peer(self) -> str:
        """Address of the other end; ``UNIX_PEER`` on a Unix socket, "" if it is gone."""
        name = None if self.transport is None else self.transport.get_extra_info("peername")
        if isinstance(name, str):
            return UNIX_PEER
        return str(name[0]) if name else ""  # a connection that was reset has no name any more

    @property
    def takes_gzip(self) -> bool:
        """Whether the current request accepts a compressed answer."""
        message = self._current
        accepted = "" if message is None else message.headers.get("Accept-Encoding", "")
        return "gzip" in accepted and "gzip;q=0" not in accepted

    def reply(self, response: bytes) -> None:
        """Answer the current request. Never raises; a lost connection ignores it."""
        message, self._current, self._holder = self._current, None, None
        if self.transport is None or message is None:
            return
        if self.unread_bytes > self._host.options.write_ceiling:
            self.drop()  # it asks on, and reads no answer
            return
        is_last = message.should_close or message.upgrade
        if is_last or message.version < HttpVersion11:
            response = with_connection(response, is_last=is_last)
        if message.method == "HEAD":
            response = response[: response.index(_END_OF_HEAD) + len(_END_OF_HEAD)]
        self.transport.write(response)
        if self.unread_bytes > self._host.options.write_limit:
            self._host.doors.overfull(self)
        self._is_busy = False
        if is_last:
            self._host.doors.closing_front(self)
            self.transport.close()
            return
        self._host.doors.idle(self)
        if self._queue:
            self._loop.call_soon(self._next)
        else:
            self._ahead_bytes = 0

    def refuse(self, status: int, kind: bytes, body: bytes) -> None:
        """Answer with an error and close: the rest of the request may never have been read.

        To close with input unread resets the connection, and the reset overtakes the answer. So
        only our side is shut, and what comes is thrown away until the client closes (RFC 9112,
        9.6); it is not waited for ever.
        """
        is_aiohttp_busy = self._is_busy and self._current is None
        holder, self._holder = self._holder, None
        self._queue.clear()
        self._body = self._current = None
        self._is_ending = True
        if self.transport is not None:
            self.transport.write(self._host.replies.build(status, kind, body, close=True))
            if is_aiohttp_busy:  # it may still write
                self.transport.close()
            else:
                self.transport.write_eof()
                self._host.doors.closing_front(self)
        if holder is not None:
            holder.lost()

    def detach(self, socket: Socket, head: bytes) -> None:
        """Hand the TCP connection over to a WebSocket.

        Args:
            socket: Gets all further bytes.
            head: The 101 response, and frames to follow it at once.
        """
        transport = cast("asyncio.Transport", self.transport)
        self._is_detached = True
        self._host.doors.attach()
        self._host.doors.leave(self)
        transport.write(head)
        transport.set_protocol(socket)
        socket.connection_made(transport)
        self._let_go()
        if self._tail:
            socket.data_received(self._tail)

    # ── aiohttp's share ─────────────────────────────────────────────────────────────────────

    def _adopt(self, message: RawRequestMessage, payload: StreamReader) -> None:
        """Let aiohttp serve this request; its machinery is made with the first one."""
        if not self._is_adopted:
            self._is_adopted = True
            super().connection_made(cast("asyncio.Transport", self.transport))
        if message.upgrade:
            self._upgraded = True
            self._message_tail = self._tail
        self._messages.append((message, payload))
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def finish_response(
        self, request: BaseRequest, resp: StreamResponse, start_time: float | None
    ) -> tuple[StreamResponse, bool]:
        """Write aiohttp's response; then the next request may begin."""
        result = await super().finish_response(request, resp, start_time)
        _break_cycles(request, resp)
        if not resp.keep_alive:
            self._is_ending = True  # aiohttp closes, and serves nobody before that
            return result
        self._is_busy = False
        if self.transport is not None:
            self._host.doors.idle(self)
            self._loop.call_soon(self._next)
        return result

    def drop(self) -> None:
        """Close the connection at once."""
        if self.transport is not None:
            self.transport.abort()


def _break_cycles(request: BaseRequest, resp: StreamResponse) -> None:
    """Free what aiohttp leaves to the collector when it answers an unknown path: 1 KB each time."""
    if isinstance(resp, HTTPException):
        resp.__traceback__ = None  # its frames hold the answer
    if isinstance(request, AiohttpRequest) and isinstance(request.match_info.route, SystemRoute):
        request.match_info.route._handler = None  # type: ignore[assignment]  # its method
