"""A bare WebSocket on a TCP connection that aiohttp has let go."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from typing import TYPE_CHECKING, Final, cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN, SERVER, Protocol

from channel_server.core.client_frames import WHOLE_TEXT, missing_after, short_message
from channel_server.engine.turns import FirstWords
from channel_server.errors import MalformedPacket

if TYPE_CHECKING:
    from channel_server.engine.host import Host

# Not the library's own logger: it reports every connection at INFO.
_log: Final = logging.getLogger("channel_server.engine.frames")


class Socket(asyncio.Protocol):
    """Reads frames from one client and writes finished frames to it.

    Masks, fragments, control frames, the close handshake and the size limit are the business of
    ``websockets.protocol.Protocol``, which gets everything but short messages that come alone. No
    task and no timer belongs to a connection.

    Args:
        host: For the limits.
    """

    __slots__ = (
        "_first_words",
        "_host",
        "_is_deaf",
        "_is_paused",
        "_missing",
        "_parser",
        "_parting",
        "_parts",
        "_tcp",
    )

    def __init__(self, host: Host) -> None:
        self._host = host
        self._is_deaf = False
        self._is_paused = False
        self._first_words: FirstWords | None = FirstWords(host.newcomers, self._start)
        self._parser = Protocol(SERVER, state=OPEN, max_size=host.options.max_payload, logger=_log)
        self._parts: bytearray | None = None
        self._missing = 0  # bytes of the frame under way, or LOST
        # The transport, as long as there may be something to say, and after that.
        self._tcp: asyncio.Transport | None = None
        self._parting: asyncio.Transport | None = None

    # ── what it is for ──────────────────────────────────────────────────────────────────────

    @abstractmethod
    def _may_speak(self, opcode: Opcode) -> bool:
        """A frame has come. Return False to drop it: the connection has to be closed then."""

    @abstractmethod
    def _message(self, data: bytes, *, is_text: bool) -> None:
        """A whole message has come.

        Raises:
            MalformedPacket: To close with 1008.
            UnicodeDecodeError: To close with 1007.
        """

    @abstractmethod
    def _ended(self, *, is_clean: bool) -> None:
        """The client has closed (cleanly), or broken the protocol: no more is read from it."""

    @abstractmethod
    def _lost(self, *, is_clean: bool) -> None:
        """The connection is gone, whoever closed it."""

    @abstractmethod
    def _watch(self, unread_bytes: int, adding_bytes: int) -> None:
        """The client has left so much unread; so much is about to be written."""

    @abstractmethod
    def _caught_up(self) -> None:
        """The client has read what was over the limit."""

    # ── writing ─────────────────────────────────────────────────────────────────────────────

    def write(self, frame: bytes) -> None:
        """Queue a finished frame; a client that has not read for too long is hung up."""
        if self._is_paused and self._tcp is not None:
            self._watch(self.unread_bytes, len(frame))
        tcp = self._tcp  # the client may have been hung up
        if tcp is not None:
            tcp.write(frame)

    @property
    def unread_bytes(self) -> int:
        """What the kernel has not taken yet."""
        return 0 if self._tcp is None else self._tcp.get_write_buffer_size()

    def pause_writing(self) -> None:
        """More than ``write_limit`` bytes are unread: what is beyond came with the last message."""
        self._is_paused = True
        if self._tcp is not None:
            limit = self._host.options.write_limit
            self._watch(limit, self.unread_bytes - limit)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._is_paused = False
        self._caught_up()

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client; the first words in their turn."""
        if self._first_words is None:
            self._read(data)
        else:
            self._first_words.hear(self._tcp, data)

    def _start(self, data: bytes) -> None:
        self._first_words = None
        self._read(data)

    def _read(self, data: bytes) -> None:
        if self._tcp is None or self._is_deaf:
            return
        parser = self._parser
        try:
            if self._missing == 0 and self._parts is None and self._took_short(data):
                return
            self._missing = missing_after(data, self._missing)
            parser.receive_data(data)
            for event in parser.events_received():
                self._frame(cast("Frame", event))
        except MalformedPacket as error:
            parser.fail(CloseCode.POLICY_VIOLATION, error.reason)
        except UnicodeDecodeError:
            parser.fail(CloseCode.INVALID_DATA, "not UTF-8")
        if parser.state is OPEN:
            self._flush()
        elif self._tcp is not None:
            self._is_deaf = True
            self._ended(is_clean=parser.close_rcvd is not None)

    def _took_short(self, data: bytes) -> bool:
        """Hand on a short message that comes alone. Return whether it is one."""
        message = short_message(data)
        if message is None or len(message) > self._host.options.max_payload:
            return False
        is_text = data[0] == WHOLE_TEXT
        if self._may_speak(Opcode.TEXT if is_text else Opcode.BINARY):
            self._message(message, is_text=is_text)
        return True

    def _frame(self, frame: Frame) -> None:
        """Join fragments; hand on whole messages, unless one before them has ended it all."""
        if self._tcp is None or not self._may_speak(frame.opcode):
            return
        if frame.opcode not in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            return
        if frame.fin and self._parts is None:
            self._message(bytes(frame.data), is_text=frame.opcode is Opcode.TEXT)
            return
        if self._parts is None:
            # The first byte remembers the opcode until the last fragment is here.
            self._parts = bytearray((frame.opcode,))
        self._parts += frame.data
        if frame.fin:
            parts, self._parts = self._parts, None
            self._message(bytes(parts[1:]), is_text=parts[0] == Opcode.TEXT)

    def _flush(self) -> None:
        """Write what the parser has to say: pongs, and the close frame."""
        for data in self._parser.data_to_send():
            if data:
                self.write(data)

    # ── the connection ──────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start on a transport whose upgrade has been answered."""
        self._tcp = cast("asyncio.Transport", transport)
        limit = self._host.options.write_limit
        self._tcp.set_write_buffer_limits(high=limit, low=limit)

    def close(
        self, *, abort: bool, code: int = CloseCode.NORMAL_CLOSURE, reason: str = ""
    ) -> None:
        """Close the connection, with a close frame if the client may still read it.

        Args:
            abort: At once, without a word.
            code: Of the close frame.
            reason: Of the close frame.
        """
        tcp = self._tcp or self._parting
        if tcp is None:
            return
        is_parting, self._tcp, self._parting = self._tcp is None, None, tcp
        if abort:
            tcp.abort()
        elif not is_parting:
            self._part(tcp, code, reason)

    def _part(self, tcp: asyncio.Transport, code: int, reason: str) -> None:
        """Say the last word, and let the client read it.

        A connection closed with input unread is reset, and the reset overtakes the close frame. So
        unless the client has closed, only our side is shut, and what comes is thrown away until
        the client closes; it is not waited for ever.
        """
        if self._parser.state is OPEN:
            self._parser.send_close(code, reason)
        tcp.write(b"".join(self._parser.data_to_send()))
        self._host.doors.closing(self)
        if self._parser.close_rcvd is None:
            tcp.write_eof()
        else:
            tcp.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever closed it: nothing of it may be left in a cycle."""
        self._tcp = self._parting = self._first_words = None
        # The library's parser is a generator that holds its owner, and its error holds them both.
        self._parser.parser.close()
        self._parser.parser_exc = None
        self._host.doors.detach(self)
        self._lost(is_clean=exc is None)
