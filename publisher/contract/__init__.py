"""Names that the publisher and the channel server share.

Source: the wire contract with Loomio, sections 1 and 2. Both sides import this module, so it
stays free of third-party imports.
"""

from __future__ import annotations

from typing import Final

RECORDS: Final = "/records"
"""Redis channel of record updates: each message names one room."""

SYSTEM_NOTICE: Final = "/system_notice"
"""Redis channel of notices: each message is for every connected client."""

CONTROL: Final = "/channel_control"
"""Redis channel of orders to the channel servers: who is to be hung up, who changed groups."""

CHATBOT_TEST: Final = "chatbot/test"
"""Redis channel on which a Matrix bot is told to say that it works."""

CHATBOT_PUBLISH: Final = "chatbot/publish"
"""Redis channel of what Matrix bots write into their rooms."""

CHATBOTS: Final = "chatbot/*"
"""Pattern of the channels of Matrix bots."""

CURRENT_USERS: Final = "/current_users/"
"""Prefix of the Redis keys that hold users; the channel token follows it."""

NOTICE_ROOM: Final = "notice"
"""Room of every connected client, anonymous ones included."""


def user_room(user_id: int | str) -> str:
    """Room of all clients of one user."""
    return f"user-{user_id}"


def group_room(group_id: int | str) -> str:
    """Room of all clients of all members of one group."""
    return f"group-{group_id}"
