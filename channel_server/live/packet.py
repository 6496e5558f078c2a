"""Socket.IO packets from clients, checked before anything is done with them.

python-socketio's decoder accepts much that the protocol forbids; this one refuses what
socket.io-parser refuses (4.2, lib/index.ts, ``isPayloadValid``).
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import orjson
from socketio import packet

from channel_server.core import strict_json
from channel_server.errors import MalformedPacket

_RESERVED: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
_LAYOUT: Final = re.compile(
    r"(?:([0-4])|([56])([0-9]{1,2})-)"  # type; binary ones with a number of attachments
    r"(?:(/[^,]*)(?:,|$))?"  # namespace, if it is not the main one
    r"([0-9]{0,100})"  # id of the acknowledgement
    r"(.*)",  # content, JSON
    re.DOTALL,
)
_ABSENT: Final = object()


class Json:
    """What python-socketio wants from a JSON module."""

    @staticmethod
    def loads(text: str) -> Any:
        """Parse; raises ValueError."""
        return strict_json.loads(text.encode())

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        """Format without blanks."""
        try:
            return orjson.dumps(value).decode()
        except orjson.JSONEncodeError:
            # Lone surrogates and more than 254 levels, which a client may have sent us.
            return json.dumps(value, separators=(",", ":"))


class Packet(packet.Packet):  # type: ignore[misc]
    """A packet whose content fits its type."""

    json = Json
    packet_type: int
    data: Any

    def decode(self, encoded_packet: str) -> int:
        """Read a packet.

        Returns:
            How many binary attachments must follow.

        Raises:
            MalformedPacket: If the protocol forbids it.
        """
        parts = _LAYOUT.fullmatch(encoded_packet)
        if parts is None:
            raise MalformedPacket("not a Socket.IO packet")
        kind, binary_kind, count, namespace, number, data = parts.groups()
        self.packet_type = int(kind or binary_kind)
        self.namespace = namespace.partition("?")[0] if namespace else None
        self.id = int(number) if number else None
        try:
            self.data = self.json.loads(data) if data else _ABSENT
        except (ValueError, RecursionError) as error:
            raise MalformedPacket("content is not JSON") from error
        if not self._is_valid():
            raise MalformedPacket("content does not fit the packet's type")
        if self.data is _ABSENT:
            self.data = None
        attachments = int(count or 0)
        if not attachments and self.packet_type == packet.BINARY_EVENT:
            self.packet_type = packet.EVENT
        return attachments

    def add_attachment(self, attachment: object) -> bool:
        """Add one binary attachment. Return whether the packet is complete.

        Raises:
            MalformedPacket: For text, and for placeholders that name no attachment.
        """
        if not isinstance(attachment, bytes):
            raise MalformedPacket("text where an attachment should be")
        self.attachments.append(attachment)
        if len(self.attachments) < self.attachment_count:
            return False
        self.data = _fill(self.data, self.attachments)
        return True

    def _is_valid(self) -> bool:
        data = self.data
        if self.packet_type == packet.CONNECT:
            return self.id is None and (data is _ABSENT or isinstance(data, dict))
        if self.packet_type == packet.DISCONNECT:
            return self.id is None and data is _ABSENT
        if self.packet_type in {packet.ACK, packet.BINARY_ACK}:
            return isinstance(data, list) and self.id is not None
        if self.packet_type in {packet.EVENT, packet.BINARY_EVENT}:
            return isinstance(data, list) and bool(data) and _is_event(data[0])
        return False


def _is_event(name: object) -> bool:
    if isinstance(name, str):
        return name not in _RESERVED
    return isinstance(name, int | float) and not isinstance(name, bool)


def _fill(value: Any, attachments: list[bytes]) -> Any:
    """Put attachments where their placeholders are."""
    if isinstance(value, list):
        return [_fill(item, attachments) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("_placeholder") is not True:
        return {key: _fill(item, attachments) for key, item in value.items()}
    number = value.get("num")
    if type(number) is not int or not 0 <= number < len(attachments):
        raise MalformedPacket("placeholders do not fit the attachments")
    return attachments[number]
