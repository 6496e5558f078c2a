"""Messages of the Hocuspocus protocol: the bytes, and nothing about what they do.

A message is the address of a document, a number that tells its kind, and a body. Source: the
wire traces of @hocuspocus/provider 2.15, 3.4 and 4.8 with @hocuspocus/server 3.4.
"""

from __future__ import annotations

import enum
from typing import Final

from channel_server.collab.lib0 import Reader, buffer, string, uint
from channel_server.errors import MalformedFrame

MAX_TEXT: Final = 16 * 1024
"""Characters of a token, and of an address: who is not known yet may keep a hundred of each here."""

_SESSION_MARK: Final = "\0"


class Kind(enum.IntEnum):
    """What a message is about."""

    SYNC = 0
    AWARENESS = 1
    AUTH = 2
    QUERY_AWARENESS = 3
    SYNC_REPLY = 4
    STATELESS = 5
    BROADCAST_STATELESS = 6
    CLOSE = 7
    SYNC_STATUS = 8
    PING = 9
    PONG = 10


class Sync(enum.IntEnum):
    """The three messages with which two sides become equal."""

    STEP_1 = 0
    """What I have, as a state vector."""
    STEP_2 = 1
    """What you lack, as an update."""
    UPDATE = 2
    """What has just changed."""


class Auth(enum.IntEnum):
    """Who may open a document."""

    TOKEN = 0
    DENIED = 1
    AUTHENTICATED = 2


class Scope(enum.Enum):
    """What a client may do with a document."""

    READ_WRITE = "read-write"
    READ_ONLY = "readonly"


EMPTY_UPDATE: Final = b"\0\0"
"""No structs, and nothing deleted."""

EMPTY_STATE: Final = b"\0"
"""A state vector that names nobody."""

RESET: Final = "Reset Connection"
"""Why a document, or a connection, is closed whose client should come again."""

_BARE: Final = frozenset({bytes((Kind.PING,)), bytes((Kind.PONG,))})


def is_bare(frame: bytes) -> bool:
    """Tell whether a frame is a ping or pong of provider 4, which have no address."""
    return frame in _BARE


def document_of(address: str) -> str:
    """The name of a document. With session awareness, provider 4 appends a session id to it."""
    return address.partition(_SESSION_MARK)[0]


def read_kind(reader: Reader) -> Kind | None:
    """Read the kind of a message; None for one that this version does not know."""
    number = reader.uint()
    try:
        return Kind(number)
    except ValueError:
        return None


def read_sync(reader: Reader) -> tuple[Sync, bytes]:
    """Read a sync message: which, and its payload.

    Raises:
        MalformedFrame: If it is none of the three, or ends too early.
    """
    number = reader.uint()
    payload = reader.buffer()
    try:
        return Sync(number), payload
    except ValueError:
        raise MalformedFrame("an unknown sync message") from None


def read_token(reader: Reader) -> str:
    """Read the token of an authentication message; what provider 4 says after it is ignored."""
    reader.uint()  # which message it is; from a client it is always the token
    token = reader.string()
    if len(token) > MAX_TEXT:
        raise MalformedFrame("a token is too long")
    return token


def sync(step: Sync, payload: bytes) -> bytes:
    """Body of a sync message."""
    return b"%c%c%b" % (Kind.SYNC, step, buffer(payload))


def awareness(update: bytes) -> bytes:
    """Body of an awareness message."""
    return uint(Kind.AWARENESS) + buffer(update)


def authenticated(scope: Scope) -> bytes:
    """Body that says: you may."""
    return b"%c%c%b" % (Kind.AUTH, Auth.AUTHENTICATED, string(scope.value))


def denied(reason: str) -> bytes:
    """Body that says: you may not."""
    return b"%c%c%b" % (Kind.AUTH, Auth.DENIED, string(reason))


def stateless(payload: str) -> bytes:
    """Body of a message that is not about the document's content."""
    return uint(Kind.STATELESS) + string(payload)


def closed(reason: str) -> bytes:
    """Body that says: you are no longer at this document."""
    return uint(Kind.CLOSE) + string(reason)


def status(*, is_accepted: bool) -> bytes:
    """Body that tells whether an update was accepted."""
    return b"%c%c" % (Kind.SYNC_STATUS, is_accepted)
