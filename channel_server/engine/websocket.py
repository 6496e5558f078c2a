"""The WebSocket half of a session: a bare protocol on a socket that aiohttp has let go."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN, SERVER, Protocol

from channel_server.core import packets
from channel_server.core.packets import MESSAGE, Incoming, read_packet
from channel_server.engine.turns import FirstWords
from channel_server.errors import MalformedPacket

if TYPE_CHECKING:
    from channel_server.engine.server import Engine
    from channel_server.engine.session import Session

_PROBE: Final = Incoming(packets.PING, "probe")
_PROBE_ANSWER: Final = packets.text_packet(b"3probe").frame

# Not the library's own logger: it reports every connection at INFO.
_log: Final = logging.getLogger("channel_server.engine.frames")


class WebSocket(asyncio.Protocol):
    """Reads frames from one client and writes finished frames to it.

    Masks, fragments, control frames, the close handshake and the size limit are the business of
    ``websockets.protocol.Protocol``. No task and no timer belongs to a connection.

    Args:
        engine: For the limits and the list of slow clients.
        session: The session this socket serves, or wants to take over by an upgrade.
        is_probe: The session is on polling; this socket has to prove itself first.
    """

    __slots__ = (
        "_engine",
        "_first_words",
        "_is_paused",
        "_is_probe",
        "_parser",
        "_parts",
        "_session",
        "_tcp",
    )

    def __init__(self, engine: Engine, session: Session, *, is_probe: bool) -> None:
        self._engine = engine
        self._session = session
        self._is_probe = is_probe
        self._is_paused = False
        self._first_words: FirstWords | None = FirstWords(engine.newcomers, self._start)
        self._parser = Protocol(
            SERVER, state=OPEN, max_size=engine.options.max_payload, logger=_log
        )
        self._parts: bytearray | None = None
        self._tcp: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start on a transport whose upgrade has been answered."""
        self._tcp = cast("asyncio.Transport", transport)
        limit = self._engine.options.write_limit
        self._tcp.set_write_buffer_limits(high=limit, low=limit)

    def write(self, frame: bytes) -> None:
        """Queue a finished frame; a client that has not read for too long is hung up."""
        tcp = self._tcp
        if tcp is None:
            return
        tcp.write(frame)
        if self._is_paused:
            self._engine.slow.watch(self._session, tcp.get_write_buffer_size())

    @property
    def unread_bytes(self) -> int:
        """What the kernel has not taken yet."""
        return 0 if self._tcp is None else self._tcp.get_write_buffer_size()

    def pause_writing(self) -> None:
        """More than ``write_limit`` bytes are unread."""
        self._is_paused = True
        if self._tcp is not None:
            self._engine.slow.watch(self._session, self._tcp.get_write_buffer_size())

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._is_paused = False
        self._engine.slow.forget(self._session)

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
        parser = self._parser
        parser.receive_data(data)
        try:
            for event in parser.events_received():
                self._frame(cast("Frame", event))
        except MalformedPacket as error:
            parser.fail(CloseCode.POLICY_VIOLATION, error.reason)
        except UnicodeDecodeError:
            parser.fail(CloseCode.INVALID_DATA, "not UTF-8")
        if parser.state is OPEN:
            self._flush()
        else:
            self._finish()

    def _frame(self, frame: Frame) -> None:
        """Join fragments; hand on whole messages."""
        if not self._engine.talkers.said(self._session):
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

    def _message(self, data: bytes, *, is_text: bool) -> None:
        packet = read_packet(data.decode()) if is_text else Incoming(MESSAGE, data)
        if not self._is_probe:
            self._session.receive(packet)
        elif packet == _PROBE:
            self.write(_PROBE_ANSWER)
            self._session.begin_upgrade(self)
        elif packet.kind == packets.UPGRADE and self._session.probe is self:
            self._is_probe = False
            self._engine.doors.proven(self)
            self._session.complete_upgrade(self)
        else:
            raise MalformedPacket("not a probe")

    def _finish(self) -> None:
        """The client has closed, or broken the protocol: no more is read from it.

        Its messages up to here are handled before the session ends; a probe ends at once and
        leaves its polling session alone.
        """
        if self._tcp is None:
            return
        self._tcp.pause_reading()
        is_clean = self._parser.close_rcvd is not None
        if self._is_probe:
            self.close(abort=False)
        else:
            self._engine.finish(self._session, "transport close" if is_clean else "parse error")

    def _flush(self) -> None:
        """Write what the parser has to say: pongs, and the close frame."""
        for data in self._parser.data_to_send():
            if data:
                self.write(data)

    def close(self, *, abort: bool) -> None:
        """Close the connection, with a close frame if the client may still read it."""
        tcp = self._tcp
        if tcp is None:
            return
        if abort:
            tcp.abort()
            return
        if self._parser.state is OPEN:
            self._parser.send_close(CloseCode.NORMAL_CLOSURE)
        self._flush()
        # When the client has read what was written, but it is not waited for ever.
        self._engine.doors.closing(self)
        tcp.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever closed it."""
        self._tcp = None
        self._engine.doors.detach(self)
        if self._session.probe is self:
            self._session.abandon_upgrade()
        elif self._session.socket is self:
            self._session.close("transport error" if exc else "transport close")
