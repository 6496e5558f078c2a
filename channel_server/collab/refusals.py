"""Clients whose content did not fit into a document.

A provider that was told so comes again every 30 seconds, with all of it. Whoever was told so lately is told
so again at once, before anything is asked or sent.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_PAUSE_S: Final = 60.0
_LONGEST_PAUSE_S: Final = 300.0
_MAX_REMEMBERED: Final = 10_000
_KEY_BYTES: Final = 16


class _Refusal(NamedTuple):
    """What was said to a client.

    Attributes:
        until_s: Until when it is said again at once.
        pause_s: How long that is.
    """

    until_s: float
    pause_s: float


class Refusals:
    """Who was refused, by document and token: as hashes, for both are secrets.

    After one minute, then two, then five each time, the client may try: perhaps somebody has deleted
    what was too large, which nothing that it says before would tell.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[bytes, _Refusal] = {}

    def note(self, document: str, token: str) -> None:
        """A client was refused."""
        key = _key(document, token)
        known, now_s = self._known.pop(key, None), self._clock()
        pause_s = _FIRST_PAUSE_S
        if known is not None and now_s - known.until_s < _LONGEST_PAUSE_S:
            pause_s = min(2 * known.pause_s, _LONGEST_PAUSE_S)
        self._known[key] = _Refusal(now_s + pause_s, pause_s)
        if len(self._known) > _MAX_REMEMBERED:
            del self._known[next(iter(self._known))]

    def stand(self, document: str, token: str) -> bool:
        """Tell whether a client would be refused again without a look."""
        known = self._known.get(_key(document, token)) if self._known else None
        return known is not None and self._clock() < known.until_s


def _key(document: str, token: str) -> bytes:
    said = f"{len(document)} {document} {token}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(said, digest_size=_KEY_BYTES).digest()
