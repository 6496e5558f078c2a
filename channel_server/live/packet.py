"""Socket.IO packets from clients, checked before anything is done with them.

python-socketio's decoder accepts much that the protocol forbids; this one refuses what
socket.io-parser refuses (4.2, lib/index.ts, ``isPayloadValid``).
"""

from __future__ import annotations

from typing import Any, Final

import orjson
from socketio import packet

from channel_server.core import strict_json
from channel_server.errors import MalformedPacket

_RESERVED: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
_MAX_ATTACHMENTS: Final = 64


class Json:
    """What python-socketio wants from a JSON module."""

    @staticmethod
    def loads(text: str) -> Any:
        """Parse; raises ValueError."""
        return strict_json.loads(text.encode())

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        """Format without blanks."""
        return orjson.dumps(value).decode()


class Packet(packet.Packet):  # type: ignore[misc]
    """A packet whose content fits its type."""

    json = Json
    packet_type: int

    def decode(self, encoded_packet: str) -> int:
        """Read a packet.

        Returns:
            How many binary attachments must follow.

        Raises:
            MalformedPacket: If the protocol forbids it.
        """
        try:
            count = int(super().decode(encoded_packet))
        except (ValueError, RecursionError, UnicodeEncodeError) as error:
            raise MalformedPacket("not a Socket.IO packet") from error
        if not self._is_valid() or count > _MAX_ATTACHMENTS:
            raise MalformedPacket("content does not fit the packet's type")
        if not count and self.packet_type == packet.BINARY_EVENT:
            self.packet_type = packet.EVENT
        return count

    def add_attachment(self, attachment: object) -> bool:
        """Add one binary attachment. Return whether the packet is complete.

        Raises:
            MalformedPacket: For text, and for placeholders that name no attachment.
        """
        if not isinstance(attachment, bytes):
            raise MalformedPacket("text where an attachment should be")
        try:
            return bool(super().add_attachment(attachment))
        except (ValueError, LookupError, TypeError) as error:
            raise MalformedPacket("placeholders do not fit the attachments") from error

    def _is_valid(self) -> bool:
        data = self.data
        if self.packet_type == packet.CONNECT:
            return data is None or isinstance(data, dict)
        if self.packet_type == packet.DISCONNECT:
            return data is None
        if self.packet_type in {packet.ACK, packet.BINARY_ACK}:
            return isinstance(data, list) and self.id is not None
        if self.packet_type in {packet.EVENT, packet.BINARY_EVENT}:
            return isinstance(data, list) and bool(data) and _is_event(data[0])
        return False


def _is_event(name: object) -> bool:
    if isinstance(name, str):
        return name not in _RESERVED
    return isinstance(name, int) and not isinstance(name, bool)
