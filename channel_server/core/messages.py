"""What comes from Redis, read: something for clients, or an order to us."""

from __future__ import annotations

from channel_server.core import control, records
from channel_server.core.control import Order
from channel_server.core.records import Broadcast
from publisher.contract import CONTROL

Content = tuple[str, bytes]
"""Redis channel and payload."""

Message = Broadcast | Order


def read(content: Content) -> Message | None:
    """Read one message.

    Returns:
        None if it names no room: it is for nobody.

    Raises:
        MalformedMessage: If it is not what its channel promises.
    """
    channel, payload = content
    return control.read(payload) if channel == CONTROL else records.read(channel, payload)
