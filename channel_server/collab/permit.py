"""What the application lets one client do with one document, as long as it is open."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from channel_server.collab.messages import Scope, document_of
from publisher.contract.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.collab.server import House


_NUMBER: Final = re.compile(r"\s*([0-9]{1,30})")


class Permit:
    """Asked for once, when the client shows its token, and again when there is a reason.

    Args:
        house: Asks the application.
        address: Of the document.
        ruled: Called when the application says something else than before; None: nothing is
            allowed any more.

    Attributes:
        is_read_only: Whether the client may only read.
    """

    __slots__ = (
        "_address",
        "_asking",
        "_house",
        "_is_doubted",
        "_is_granted",
        "_last",
        "_ruled",
        "_shown",
        "_token",
        "is_read_only",
    )

    def __init__(self, house: House, address: str, ruled: Callable[[Scope | None], None]) -> None:
        self._house = house
        self._address = address
        self._ruled = ruled
        self._token = ""
        self._last = ""
        self._shown: str | None = None
        self._asking: asyncio.Task[None] | None = None
        self._is_doubted = False
        self._is_granted = False
        self.is_read_only = False

    @property
    def user_id(self) -> str:
        """Whom the application knows by the token: what stands before its first comma.

        0 for visitors; "" before it is known.
        """
        text, comma, _ = self._token.partition(",")
        return id_text(text.strip()) or "" if comma else ""

    @property
    def number(self) -> str:
        """Whom Rails may take it for: ``01`` and ``1abc`` are 1. "" if for nobody."""
        number = _NUMBER.match(self._token)
        return "" if number is None else str(int(number[1]))

    @property
    def secret(self) -> str:
        """The channel token, which is the other half of the token. "" before it is known."""
        return self._token.partition(",")[2]

    async def ask(self, token: str) -> Scope | None:
        """Ask for the first time. Return what the client may do; None: nothing."""
        ruling = await self._house.access.ask(token, document_of(self._address))
        if ruling.scope is not None:
            self._token = self._last = token
            self.is_read_only = ruling.scope is Scope.READ_ONLY
        return ruling.scope

    def granted(self) -> None:
        """The client is at the document; what was doubted meanwhile is asked about."""
        self._is_granted = True
        if self._is_doubted:
            self._is_doubted = False
            self.show(self._last)

    def doubt(self) -> None:
        """What the application has said, or is saying just now, may be out of date."""
        if self._is_granted:
            self.show(self._last)
        else:
            self._is_doubted = True

    def show(self, token: str) -> None:
        """The client shows another token: what it may do depends on that from now on."""
        self._shown = self._last = token
        if self._asking is None:
            self._asking = self._house.spawn(self._ask_about_shown())

    def end(self) -> None:
        """The client has left: nobody has to be asked, or told. May be called again."""
        self._ruled = _tell_nobody  # who is told holds this: not in a circle
        if self._asking is not None and self._asking is not asyncio.current_task():
            self._asking.cancel()

    async def _ask_about_shown(self) -> None:
        """One question at a time, and the last token that was shown counts."""
        try:
            while self._shown is not None:
                token, self._shown = self._shown, None
                await self._ask_again(token)
        finally:
            self._asking = None

    async def _ask_again(self, token: str) -> None:
        """No answer proves nothing: the client stays as it is."""
        ruling = await self._house.access.ask(token, document_of(self._address), is_again=True)
        if not ruling.is_certain:
            return
        if ruling.scope is None:
            self._ruled(None)
            return
        self._token = token
        is_read_only = ruling.scope is Scope.READ_ONLY
        if is_read_only != self.is_read_only:
            self.is_read_only = is_read_only
            self._ruled(ruling.scope)


def _tell_nobody(_scope: Scope | None) -> None:
    pass
