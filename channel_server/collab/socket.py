"""One client's WebSocket, with any number of documents on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from websockets.frames import Opcode

from channel_server.collab import messages
from channel_server.collab.backlog import Backlog
from channel_server.collab.lib0 import Reader
from channel_server.collab.messages import RESET, Kind
from channel_server.collab.seat import Message, Seat
from channel_server.core.large_messages import LargeMessages, are_small
from channel_server.engine.socket import Socket
from channel_server.errors import MalformedFrame

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.collab.server import House

_UNAUTHORIZED: Final = (4401, "Unauthorized")
_RESET: Final = (4205, RESET)
_TIMEOUT: Final = (4408, "Connection Timeout")
_PING: Final = b"\x89\0"

_MAX_WAITING: Final = 100
"""Documents whose opening a client may wait for at a time, as in @hocuspocus/server 4."""


_MAX_SEATS: Final = 1_000
"""Documents that a client may have open; Loomio's has one on each socket."""

_MUCH: Final = 100


class ClientSocket(Socket):
    """Hands each message to the seat it is for.

    Args:
        house: Where it belongs.

    Attributes:
        house: Where it belongs.
        backlog: What waits, of all seats together.
        is_paced: Never: who does not read is hung up.
    """

    __slots__ = (
        "_is_ending",
        "_is_shortened",
        "_large",
        "_refused",
        "_said",
        "_seats",
        "backlog",
        "house",
        "is_paced",
    )

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.house = house
        self.backlog = Backlog(house.options.max_payload)
        self.is_paced = False
        self._is_ending = False
        self._said = 0
        self._seats: dict[str, Seat] = {}
        self._refused: set[str] | None = None
        self._large: LargeMessages | None = None
        self._is_shortened = False

    @property
    def has_said_much(self) -> bool:
        """Whether so much has come at once that the rest has to wait for its turn."""
        return self._said > _MUCH

    def _read(self, data: bytes) -> None:
        self._said = 0
        if self._large is None and are_small(data):
            super()._read(data)
        else:
            self._read_shortened(data)

    def _read_shortened(self, data: bytes) -> None:
        large = self._large = self._large or LargeMessages(self.house.options.max_payload)
        for piece in large.take(data):
            self._is_shortened = piece.ends_shortened
            super()._read(piece.data)
            if not self.is_open:
                break
        self._is_shortened = False
        if large.is_between:
            self._large = None

    @property
    def is_open(self) -> bool:
        """Whether the client can still be written to."""
        return self._tcp is not None

    # ── messages ────────────────────────────────────────────────────────────────────────────

    def _may_speak(self, opcode: Opcode) -> bool:
        if opcode is Opcode.PONG:
            self.house.heartbeat.pong(self)
        return self.house.talkers.said(self)

    def _message(self, data: bytes, *, is_text: bool) -> None:
        if is_text:
            data.decode()  # a text that is none is answered by the socket itself
        if self._is_ending or messages.is_bare(data):
            return
        reader = Reader(data)
        try:
            address = reader.string()
        except MalformedFrame:
            self.end(*_UNAUTHORIZED)
            return
        self._said += 1
        seat = self._seats.get(address)
        if seat is None and self._is_deaf_to(address, reader):
            return
        if seat is None:
            seat = self._offer(address)
        if seat is not None:
            self._hand(seat, reader, len(data))

    def _is_deaf_to(self, address: str, reader: Reader) -> bool:
        """Whether a client that was refused goes on as if it had not been; a token is listened to."""
        if self._refused is None or address not in self._refused:
            return False
        if reader.peek() != Kind.AUTH:
            return True
        self._refused.discard(address)
        return False

    def _offer(self, address: str) -> Seat | None:
        """A seat for a client that has none yet at this document."""
        many = len(self._seats)
        is_too_much = len(address) > messages.MAX_TEXT or many >= _MAX_SEATS
        if not is_too_much and many >= _MAX_WAITING:
            waiting = sum(not seat.is_seated for seat in self._seats.values())
            is_too_much = waiting >= _MAX_WAITING
        if is_too_much:
            self.end(*_RESET)
            return None
        seat = self._seats[address] = Seat(self, address)
        return seat

    def _hand(self, seat: Seat, reader: Reader, size: int) -> None:
        try:
            kind = messages.read_kind(reader)
            message = Message(kind, reader, size, is_shortened=self._is_shortened)
            seat.take(message)
        except MalformedFrame:
            if seat.is_seated:
                seat.close(RESET)
            else:
                self.end(*_RESET)

    # ── seats ───────────────────────────────────────────────────────────────────────────────

    def seated(self) -> None:
        """The client has proven itself: it may stay."""
        self.house.known(self)

    def vacated(self, address: str, seat: Seat) -> None:
        """A seat is free; there may be another one at this address already."""
        if self._seats.get(address) is seat:
            del self._seats[address]

    def refused(self, address: str) -> None:
        """What the client has does not fit: what it says there is not heard until it shows a token."""
        self._refused = self._refused or set()
        self._refused.add(address)
        if len(self._refused) > _MAX_SEATS:
            self.end(*_RESET)

    def recheck(self, is_meant: Callable[[Seat], bool]) -> None:
        """Ask the application again whether those that are meant still may."""
        for seat in list(self._seats.values()):
            if not seat.is_seated or is_meant(seat):
                seat.permit.doubt()

    def expel(self, is_meant: Callable[[Seat], bool]) -> int:
        """Turn out of documents whoever is meant. Return from how many.

        Who is still being asked about may be meant, too.
        """
        for seat in self._seats.values():
            if not seat.is_seated:
                seat.permit.doubt()
        meant = [seat for seat in self._seats.values() if seat.is_seated and is_meant(seat)]
        for seat in meant:
            seat.expel()
        return len(meant)

    def leave_all(self, reason: str) -> None:
        """Tell the client to come again, for each of its documents."""
        for seat in list(self._seats.values()):
            seat.close(reason)

    # ── the connection ──────────────────────────────────────────────────────────────────────

    def ping(self) -> None:
        """Ask for a sign of life."""
        self.write(_PING)

    def hang_up(self, reason: str) -> None:
        """Close the connection at once."""
        self.house.hang_ups[reason] += 1
        if reason == "ping timeout":
            # As the reference does; a client that reads may still learn why.
            self.leave_all(_TIMEOUT[1])
            self.end(*_TIMEOUT)
        else:
            self.close(abort=True)

    def reset(self) -> None:
        """Tell the client to come again, and close the connection."""
        self.leave_all(RESET)
        self.end(*_RESET)

    def end(self, code: int, reason: str) -> None:
        """Close the connection with a close frame; what it still says is not listened to."""
        self._is_ending = True
        self.close(abort=False, code=code, reason=reason)

    def _watch(self, unread_bytes: int, adding_bytes: int) -> None:
        self.house.slow.watch(self, unread_bytes, adding_bytes)

    def _caught_up(self) -> None:
        self.house.slow.forget(self)

    def _ended(self, *, is_clean: bool) -> None:  # noqa: ARG002 - both end the same way
        self.close(abort=False)

    def _lost(self, *, is_clean: bool) -> None:  # noqa: ARG002 - both end the same way
        for seat in self._seats.values():
            seat.lost()
        self._seats.clear()
        self.house.lost(self)
