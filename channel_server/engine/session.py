"""One Engine.IO session: it survives the upgrade from polling to a WebSocket, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from channel_server.core import packets
from channel_server.engine.polling import Polling
from channel_server.errors import MalformedPacket

if TYPE_CHECKING:
    from channel_server.core.packets import Incoming, Outgoing
    from channel_server.engine.inbox import Inbox
    from channel_server.engine.server import Engine
    from channel_server.engine.websocket import WebSocket

_PING: Final = packets.text_packet(packets.PING.encode())


class Session:
    """A client as the layers above see it: ``write`` to it, ``hang_up`` on it.

    Invariants:

    - while open, exactly one of ``polling`` and ``socket`` is set; once closed, neither;
    - ``probe`` is set only while polling, between the probe and the end of the upgrade.

    Attributes:
        sid: Session id; a secret between us and this client.
        query: Query string of the first request, undecoded. It holds the token: never log it.
        address: The client's, if addresses are counted.
        inbox: Messages that wait for the handler that is running now; None while none runs.
        is_paced: Whoever writes looks at ``unread_bytes`` first: the client is not hung up for
            being slow.
    """

    __slots__ = (
        "_engine",
        "address",
        "inbox",
        "is_paced",
        "polling",
        "probe",
        "query",
        "sid",
        "socket",
    )

    def __init__(self, engine: Engine, sid: str, query: str, address: str | None = None) -> None:
        self._engine = engine
        self.sid = sid
        self.query = query
        self.address = address
        self.polling: Polling | None = None
        self.socket: WebSocket | None = None
        self.probe: WebSocket | None = None
        self.inbox: Inbox | None = None
        self.is_paced = False

    @property
    def is_open(self) -> bool:
        """Whether the client can still be written to."""
        return self.socket is not None or self.polling is not None

    @property
    def is_polled(self) -> bool:
        """Whether a GET waits for something to be said."""
        return self.polling is not None and self.polling.is_waiting

    @property
    def unread_bytes(self) -> int:
        """What was written and the client, as far as this process knows, has not read."""
        if self.socket is not None:
            return self.socket.unread_bytes
        return 0 if self.polling is None else self.polling.unread_bytes

    @property
    def transport(self) -> str:
        """``"polling"`` or ``"websocket"``."""
        return "polling" if self.socket is None else "websocket"

    def write(self, packet: Outgoing) -> None:
        """Queue a packet. Never waits, never raises; a closed session ignores it."""
        if self.socket is not None:
            self.socket.write(packet.frame)
        elif self.polling is not None:
            self.polling.write(packet)

    def ping(self) -> None:
        """Ask for a sign of life."""
        self.write(_PING)

    def write_all(self, packets: list[Outgoing]) -> None:
        """Queue packets that belong together: a waiting poll is answered with all of them."""
        if self.socket is not None:
            self.socket.write(b"".join([packet.frame for packet in packets]))
        elif self.polling is not None:
            self.polling.write_all(packets)

    def receive(self, packet: Incoming) -> None:
        """Take a packet from either transport.

        Raises:
            MalformedPacket: If a client may not send it.
        """
        if packet.kind == packets.MESSAGE:
            self._engine.receive(self, packet.data)
        elif packet.kind == packets.PONG:
            self._engine.heartbeat.pong(self)
        elif packet.kind == packets.CLOSE:
            self._engine.finish(self, "client disconnect")
        elif packet.kind == packets.PING:
            raise MalformedPacket("heartbeat in the wrong direction")

    def open_polling(self) -> None:
        """Begin on HTTP long-polling."""
        self.polling = Polling(self, self._engine)

    def open_socket(self, socket: WebSocket) -> None:
        """Begin on a WebSocket."""
        self.socket = socket

    def begin_upgrade(self, socket: WebSocket) -> None:
        """A probe has been answered: end the waiting poll so that the client can switch."""
        if self.polling is not None:
            self.probe = socket
            self.polling.release()

    def abandon_upgrade(self) -> None:
        """The probe socket is gone; polling goes on."""
        self.probe = None

    def complete_upgrade(self, socket: WebSocket) -> None:
        """Switch to the socket, and send what polling had not fetched yet, in order."""
        polling, self.polling, self.probe = self.polling, None, None
        self.socket = socket
        if polling is not None:
            for packet in polling.end():
                socket.write(packet.frame)

    def hang_up(self, reason: str) -> None:
        """Close the transport so that the client reconnects; unread data is thrown away."""
        self.close(reason, abort=True)

    def close(self, reason: str, *, abort: bool = False) -> None:
        """End the session. Returns at once; the handlers above learn of it in a later slice.

        Args:
            reason: For the disconnect handler and the metrics.
            abort: Do not wait until the client has read what was written.
        """
        if not self.is_open:
            return
        socket, polling, probe = self.socket, self.polling, self.probe
        self.socket = self.polling = self.probe = None
        if socket is not None:
            socket.close(abort=abort)
        if probe is not None:
            probe.close(abort=abort)
        if polling is not None:
            polling.close(by_client=reason == "client disconnect")
        self._engine.closed(self, reason)
