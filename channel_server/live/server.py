"""A Socket.IO v5 server on our engine: python-socketio where it is right, corrected where not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
import socketio
from socketio import packet

from channel_server.core.packets import text_packet
from channel_server.engine.server import Engine
from channel_server.errors import MalformedPacket
from channel_server.live.namespaces import Namespaces
from channel_server.live.packet import Json, Packet

if TYPE_CHECKING:
    from channel_server.core.packets import Outgoing
    from channel_server.engine.options import Options
    from channel_server.engine.session import Session

MAIN: Final = "/"
_INVALID_NAMESPACE: Final = orjson.dumps({"message": "Invalid namespace"})


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]
    """Connects clients to namespaces and dispatches their packets.

    Corrections to python-socketio 5.18: an unknown namespace gets the object that the protocol
    asks for; what the protocol forbids closes the session; the CONNECT reply is ours to extend
    (``welcome``); connecting and disconnecting cost O(1).

    Args:
        options: Of the engine.
        namespaces: Those a client may connect to.
        allow_binary: Accept packets with attachments.
    """

    def __init__(
        self, options: Options, *, namespaces: tuple[str, ...] = (MAIN,), allow_binary: bool = True
    ) -> None:
        super().__init__(
            client_manager=Namespaces(),
            logger=logging.getLogger("channel_server.socketio"),
            serializer=Packet,
            json=Json,
            async_handlers=False,
            namespaces=list(namespaces),
            options=options,
        )
        self._allow_binary = allow_binary

    @property
    def engine(self) -> Engine:
        """The engine below."""
        return cast("Engine", self.eio)

    async def admit(self, session: Session, auth: dict[str, Any]) -> object:
        """Find out what a client may do, before it is connected to the main namespace.

        Args:
            session: The client.
            auth: What it sends with CONNECT.

        Returns:
            Anything; ``welcome`` gets it.
        """
        del session, auth
        return None

    def welcome(
        self, session: Session, sid: str, namespace: str, auth: dict[str, Any], admitted: object
    ) -> None:
        """Answer CONNECT. Does not await: nothing can come between this and what it writes."""
        del auth, admitted
        session.write(self.packet(b"0", namespace, orjson.dumps({"sid": sid})))

    def farewell(self, session: Session, namespace: str) -> None:
        """A client has left a namespace and keeps its session."""

    @staticmethod
    def packet(kind: bytes, namespace: str, data: bytes) -> Outgoing:
        """Prepare one Socket.IO packet.

        Args:
            kind: Packet type, one character.
            namespace: Where it belongs.
            data: JSON.
        """
        place = b"" if namespace == MAIN else namespace.encode() + b","
        return text_packet(b"".join((b"4", kind, place, data)))

    async def _handle_connect(
        self, eio_sid: str, namespace: str | None, data: dict[str, Any] | None
    ) -> None:
        session = self.engine.sessions.get(eio_sid)
        if session is None:
            return
        namespace = namespace or MAIN
        if namespace not in self.namespaces:
            session.write(self.packet(b"4", namespace, _INVALID_NAMESPACE))
            return
        if self.manager.sid_from_eio_sid(eio_sid, namespace) is not None:
            raise MalformedPacket("connected already")
        self.engine.confirm(session)
        admitted = await self.admit(session, data or {})
        if not session.is_open:
            return
        sid = self.manager.add(eio_sid, namespace)
        self.welcome(session, sid, namespace, data or {}, admitted)

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        pending = self._binary_packet.get(eio_sid)
        if pending is not None:
            if pending.add_attachment(data):
                del self._binary_packet[eio_sid]
                await self._dispatch(eio_sid, pending)
            return
        if isinstance(data, bytes):
            raise MalformedPacket("attachment without a packet")
        received = Packet(encoded_packet=data) if data else None
        if received is None or received.packet_type == packet.CONNECT_ERROR:
            raise MalformedPacket("not a packet of a client")
        namespace = received.namespace or MAIN
        if received.packet_type == packet.CONNECT:
            await self._handle_connect(eio_sid, namespace, received.data)
        elif self.manager.sid_from_eio_sid(eio_sid, namespace) is None:
            raise MalformedPacket("no such namespace")
        elif received.attachment_count:
            self._expect_attachments(eio_sid, received)
        else:
            await self._dispatch(eio_sid, received)

    def _expect_attachments(self, eio_sid: str, received: Packet) -> None:
        if not self._allow_binary:
            raise MalformedPacket("attachments are not accepted")
        self._binary_packet[eio_sid] = received

    async def _dispatch(self, eio_sid: str, received: Packet) -> None:
        """Hand a complete packet to python-socketio's handlers."""
        content = (eio_sid, received.namespace, received.id, received.data)
        if received.packet_type in {packet.EVENT, packet.BINARY_EVENT}:
            await self._handle_event(*content)
        elif received.packet_type == packet.DISCONNECT:
            await self._handle_disconnect(eio_sid, received.namespace)
            session = self.engine.sessions.get(eio_sid)
            if session is not None:
                self.farewell(session, received.namespace or MAIN)
        else:
            await self._handle_ack(*content)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        for namespace in self.manager.get_namespaces():
            await self._handle_disconnect(eio_sid, namespace, reason)
        self._binary_packet.pop(eio_sid, None)

    def _engineio_server_class(self) -> type[Engine]:
        return Engine
