"""One test message to one room, and in one line what came of it."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Final

import orjson

from channel_server.adapters.guarded_http import GuardedHttp
from channel_server.bots.homeserver import Homeservers
from channel_server.bots.messages import read
from channel_server.errors import MalformedMessage, MatrixBusy, MatrixRefused, TrialFailed
from publisher.contract import CHATBOT_TEST

if TYPE_CHECKING:
    from channel_server.config import Settings

_WITHIN_S: Final = 20.0
_MEANINGS: Final = {
    "M_UNKNOWN_TOKEN": "the homeserver does not know this access token",
    "M_MISSING_TOKEN": "the homeserver does not know this access token",
    "M_FORBIDDEN": (
        "the bot is not in the room and may not join it, or may not write there: invite it"
    ),
    "M_INVALID_PARAM": "the homeserver does not understand the room's name",
    "M_TOO_LARGE": "the message is larger than a Matrix event may be",
    "M_NOT_FOUND": "the homeserver knows no such room",
    "M_UNKNOWN": "the homeserver cannot find the room: invite the bot, or use the room's alias",
    "M_GUEST_ACCESS_FORBIDDEN": "the access token is of a guest, who may not write there",
    "M_USER_DEACTIVATED": "the bot's account is deactivated",
    "private_address": (
        "the homeserver's address is not public: name it in MATRIX_ALLOWED_HOSTS if that is right"
    ),
    "redirect": "the homeserver answers with a redirect: use the address it leads to",
    "not_matrix": "this is not a Matrix homeserver's address",
}


async def send_trial(settings: Settings, server: str, room: str, token: str, text: str) -> str:
    """Send a test message as the running server would, but once and without Redis.

    Args:
        settings: Which hosts are allowed, and whether a bot may join a room.
        server: Address of the homeserver.
        room: Id or alias.
        token: Access token of the bot.
        text: The message.

    Returns:
        The id of the event.

    Raises:
        TrialFailed: With the reason in one line; the token is not in it.
    """
    document = {"server": server, "access_token": token, "channel": room, "message": text}
    try:
        message = read(CHATBOT_TEST, orjson.dumps(document))
    except TypeError:
        raise TrialFailed("what was given is no Unicode") from None
    except MalformedMessage as error:
        raise TrialFailed(error.reason) from None
    transaction = f"trial-{secrets.token_hex(8)}"
    async with GuardedHttp(settings.matrix_allowed_hosts, timeout_s=_WITHIN_S) as http:
        homeservers = Homeservers(http, joins=settings.is_matrix_joining, clock=time.monotonic)
        try:
            return await homeservers.send(
                message.bot, message.room, message.content(), transaction
            )
        except MatrixRefused as error:
            meaning = _MEANINGS.get(error.code, "the homeserver refuses the message")
            if error.code == "M_FORBIDDEN" and not settings.is_matrix_joining:
                meaning = "the bot is not in the room: with MATRIX_AUTO_JOIN=0 it must be a member"
            raise TrialFailed(f"{meaning} ({error.code})") from None
        except MatrixBusy as error:
            raise TrialFailed(
                f"the homeserver does not take the message now: {error.reason}"
            ) from None
