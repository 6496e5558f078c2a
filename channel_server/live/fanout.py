"""From one broadcast to many clients: encoded once, the same bytes written everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from channel_server.core.names import Room
    from channel_server.core.packets import Outgoing
    from channel_server.core.rooms import Rooms


class Client(Protocol):
    """A connected client, as far as the fan-out needs to know."""

    def write(self, packet: Outgoing) -> None:
        """Queue a packet. Never waits, never raises; a slow client is hung up in there."""
        ...

    def hang_up(self, reason: str) -> None:
        """Close the transport, so that the client returns."""
        ...


class Fanout:
    """Delivers broadcasts to the members of a room.

    Args:
        rooms: Shared with the gateway, which joins and drops.
    """

    def __init__(self, rooms: Rooms[Client]) -> None:
        self._rooms = rooms

    def deliver(self, room: Room, packet: Outgoing) -> tuple[int, int]:
        """Write one packet to every member of a room.

        Does not await: between the first and the last write no client can join or leave, so
        all members see the same order of events.

        Returns:
            Clients written to, and bytes written to all of them.
        """
        members = self._rooms.members(room)
        # A client that is hung up in here leaves the room later, in a slice of the clean-up.
        for client in members:
            client.write(packet)
        return len(members), len(members) * len(packet.frame)
