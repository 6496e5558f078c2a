"""The long-polling half of a session: one waiting GET, and an outbox for when there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from channel_server.core import packets

if TYPE_CHECKING:
    from channel_server.core.packets import Outgoing
    from channel_server.engine.front import Front
    from channel_server.engine.server import Engine
    from channel_server.engine.session import Session

_ZIP_ALONE_BYTES: Final = 64 * 1024
"""Up to this an answer for one client alone is compressed: 1 ms in which nobody else is served."""


class Polling:
    """Packets wait here until the client asks for them.

    Invariant: the outbox is empty while a GET waits.

    Attributes:
        is_posting: The body of a POST is on its way.

    Args:
        session: The session it serves; hung up when the outbox grows past the ceiling.
        engine: For the replies, the limits and the list of slow clients.
    """

    __slots__ = ("_engine", "_outbox", "_outbox_bytes", "_session", "_waiting", "is_posting")

    def __init__(self, session: Session, engine: Engine) -> None:
        self._session = session
        self._engine = engine
        self._outbox: list[Outgoing] = []
        self._outbox_bytes = 0
        self._waiting: Front | None = None
        self.is_posting = False

    def write(self, packet: Outgoing) -> None:
        """Answer the waiting GET, or keep the packet for the next one."""
        if self._waiting is not None:
            front, self._waiting = self._waiting, None
            front.reply(self._reply(packet, zipped=front.takes_gzip))
            return
        self._keep([packet])

    def write_all(self, packets: list[Outgoing]) -> None:
        """Answer the waiting GET with all of them, or keep them for the next one."""
        self._keep(packets)
        if self._waiting is not None and self._outbox:
            front, self._waiting = self._waiting, None
            front.reply(self._take(zipped=front.takes_gzip))

    def _keep(self, packets: list[Outgoing]) -> None:
        adding_bytes = sum(len(packet.text) for packet in packets)
        self._engine.slow.watch(self._session, self._outbox_bytes, adding_bytes)
        if self._session.polling is not self:  # hung up
            return
        self._outbox += packets
        self._outbox_bytes += adding_bytes

    def poll(self, front: Front) -> bool:
        """Take a GET: answer it now, or when there is something to say.

        Returns:
            False if another GET waits already: the protocol allows one, and the session must
            be closed.
        """
        if self._waiting is not None:
            return False
        if self._outbox:
            front.reply(self._take(zipped=front.takes_gzip))
        elif self._session.probe is not None:
            front.reply(self._engine.replies.noop)
        else:
            self._waiting = front
            front.hold(self)
        return True

    @property
    def unread_bytes(self) -> int:
        """What waits for the next GET."""
        return self._outbox_bytes

    @property
    def is_waiting(self) -> bool:
        """Whether there is a GET to answer."""
        return self._waiting is not None

    def release(self) -> None:
        """Answer the waiting GET with a noop, so that the client stops polling."""
        self._answer(self._engine.replies.noop)

    def lost(self) -> None:
        """The connection of the waiting GET, or of the POST, is gone: the client has given up."""
        self._waiting = None
        if self._session.polling is self:  # not upgraded meanwhile
            self._session.close("transport close")

    def end(self) -> list[Outgoing]:
        """Hand over what was not fetched, after an upgrade."""
        self.release()
        self._engine.slow.forget(self._session)
        outbox, self._outbox = self._outbox, []
        return outbox

    def close(self, *, by_client: bool) -> None:
        """Answer the waiting GET for the last time.

        Args:
            by_client: A client that closes gets a noop, one that is closed the close packet.
        """
        self._answer(self._engine.replies.noop if by_client else self._engine.replies.close)

    def _answer(self, reply: bytes) -> None:
        front, self._waiting = self._waiting, None
        if front is not None:
            front.reply(reply)

    def _take(self, *, zipped: bool) -> bytes:
        """All that waits, as one response."""
        outbox, self._outbox, self._outbox_bytes = self._outbox, [], 0
        self._engine.slow.forget(self._session)
        if len(outbox) == 1:
            return self._reply(outbox[0], zipped=zipped)
        body = packets.SEPARATOR.encode().join(packet.text for packet in outbox)
        return self._engine.replies.packets(body, zipped=zipped and len(body) <= _ZIP_ALONE_BYTES)

    def _reply(self, packet: Outgoing, *, zipped: bool) -> bytes:
        """The response with just this packet, built once for all clients that get it."""
        if packet.replies is None:
            packet.replies = {}
        reply = packet.replies.get(zipped)
        if reply is None:
            reply = self._engine.replies.packets(packet.text, zipped=zipped)
            packet.replies[zipped] = reply
        return reply
