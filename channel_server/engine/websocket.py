"""The WebSocket half of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from channel_server.core import packets
from channel_server.core.packets import MESSAGE, Incoming, read_packet
from channel_server.engine.socket import Socket
from channel_server.errors import MalformedPacket

if TYPE_CHECKING:
    from websockets.frames import Opcode

    from channel_server.engine.server import Engine
    from channel_server.engine.session import Session

_PROBE: Final = Incoming(packets.PING, "probe")
_PROBE_ANSWER: Final = packets.text_packet(b"3probe").frame


class WebSocket(Socket):
    """Packets of one session, one in a message.

    Args:
        engine: For the limits and the list of slow clients.
        session: The session this socket serves, or wants to take over by an upgrade.
        is_probe: The session is on polling; this socket has to prove itself first.
    """

    __slots__ = ("_engine", "_is_probe", "_session")

    def __init__(self, engine: Engine, session: Session, *, is_probe: bool) -> None:
        super().__init__(engine)
        self._engine = engine
        self._session = session
        self._is_probe = is_probe

    def _watch(self, unread_bytes: int, adding_bytes: int) -> None:
        self._engine.slow.watch(self._session, unread_bytes, adding_bytes)

    def _caught_up(self) -> None:
        self._engine.slow.forget(self._session)

    def _may_speak(self, _opcode: Opcode) -> bool:
        if self._engine.talkers.said(self._session):
            return True
        self.close(abort=True)  # a probe that is not proven yet does not end with its session
        return False

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

    def _ended(self, *, is_clean: bool) -> None:
        """Messages up to here are handled before the session ends.

        A probe ends at once and leaves its polling session alone.
        """
        if self._is_probe:
            self.close(abort=False)
        else:
            self._engine.finish(self._session, "transport close" if is_clean else "parse error")

    def _lost(self, *, is_clean: bool) -> None:
        if self._session.probe is self:
            self._session.abandon_upgrade()
        elif self._session.socket is self:
            self._session.close("transport close" if is_clean else "transport error")
