"""The ``pid`` of a client: what it shows when it returns, and gets back if it has missed nothing.

A pid is 8 random characters, 8 that seal whose it is, a dot, and the offset at which it was given.
It is a key to nothing: it only keeps a client that has become somebody else, because its token
has expired, from being told that it has recovered.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from channel_server.core import offsets
from channel_server.core.names import user_room

if TYPE_CHECKING:
    from channel_server.core.offsets import Offset
    from channel_server.core.users import Identity

_LAYOUT: Final = re.compile(r"([A-Za-z0-9_-]{8})([A-Za-z0-9_-]{8})\.(.{1,64})")
_SALT: Final = 8
_SEAL_BYTES: Final = 6


class Pid(NamedTuple):
    """A pid as a client shows it: given by some node at some time, or made up.

    Attributes:
        text: All of it.
        offset: Where it was given.
    """

    text: str
    offset: Offset

    def is_of(self, identity: Identity | None, secret: bytes) -> bool:
        """Tell whether it was given to this user, or, without one, to a visitor.

        Args:
            identity: Who shows it; None for a visitor.
            secret: Of the journal.
        """
        return self.text[_SALT : 2 * _SALT] == _seal(self.text[:_SALT], identity, secret)


def read(text: object) -> Pid | None:
    """Read a pid; None for everything that cannot be one."""
    parts = _LAYOUT.fullmatch(text) if isinstance(text, str) else None
    offset = None if parts is None else offsets.read(parts[3])
    return None if offset is None else Pid(str(text), offset)


def make(sid: str, offset: str, identity: Identity | None, secret: bytes) -> str:
    """Make a pid.

    Args:
        sid: Of the client, random.
        offset: Where it stands.
        identity: Who it is; None for a visitor.
        secret: Of the journal: who does not know it learns nothing from a pid.
    """
    salt = sid[:_SALT]
    return f"{salt}{_seal(salt, identity, secret)}.{offset}"


def _seal(salt: str, identity: Identity | None, secret: bytes) -> str:
    owner = "" if identity is None else user_room(identity.user_id)
    digest = blake2b(f"{salt}{owner}".encode(), key=secret, digest_size=_SEAL_BYTES).digest()
    return urlsafe_b64encode(digest).decode()
