"""Messages that arrive from Redis, checked and made ours."""

from __future__ import annotations

from typing import Final, cast

import msgspec

from channel_server.core.envelope import room_of
from channel_server.core.names import NOTICE, Room
from channel_server.errors import MalformedMessage
from publisher.contract import RECORDS, SYSTEM_NOTICE

CHANNELS: Final = (RECORDS, SYSTEM_NOTICE)
"""Redis channels that ``read`` understands."""


class Broadcast(msgspec.Struct, frozen=True, gc=False):
    """One event for one room.

    Attributes:
        room: Every member receives the event.
        event: Socket.IO event name.
        body: The JSON object to send, byte for byte as the publisher wrote it.
    """

    room: Room
    event: str
    body: bytes


def read(channel: str, payload: bytes) -> Broadcast | None:
    """Turn one Redis message into a broadcast.

    Returns:
        None if the message names no room: it is private and goes to nobody. (Node's
        ``io.to(null)`` reaches nobody either; python-socketio's ``room=None`` reaches everybody.)

    Raises:
        MalformedMessage: If the payload is not a JSON object in UTF-8, or if the channel is not
            one we subscribe to.
    """
    if channel not in CHANNELS:
        raise MalformedMessage(channel, "unknown channel", len(payload))
    # The whole document is checked although only "room" is read: what JSON.parse refuses makes
    # every browser in the room drop its connection.
    try:
        room = room_of(payload)
    except ValueError as error:
        reason = str(error)
    else:
        if channel == SYSTEM_NOTICE:
            return Broadcast(NOTICE, "notice", payload)
        if room and type(room) is str:
            return Broadcast(cast("Room", room), "records", payload)
        return None
    raise MalformedMessage(channel, reason, len(payload))
