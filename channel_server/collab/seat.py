"""One client at one document: what it says, in order, and what it is told.

A seat waits for a token, then for the application to know it, then for the document; after that
what comes is handled at once, unless it takes a job in the sandbox. What comes while a seat waits
is kept, within the limits of its socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from channel_server.collab import messages
from channel_server.collab.document import Verdict
from channel_server.collab.lib0 import string
from channel_server.collab.merging import run_light
from channel_server.collab.messages import RESET, Kind, Scope, Sync
from channel_server.collab.permit import Permit
from channel_server.core.frames import binary_frame
from channel_server.errors import (
    BrokenUpdate,
    MalformedFrame,
    StoreFailed,
    TooCostly,
    TooManyDocuments,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channel_server.collab.document import Document
    from channel_server.collab.lib0 import Reader
    from channel_server.collab.merging import Job, Steps
    from channel_server.collab.socket import ClientSocket

log = logging.getLogger(__name__)

_LEFT: Final = "provider_initiated"
_TOO_LARGE: Final = "Document Too Large"
_DENIED: Final = "permission-denied"
_SMALL_BYTES: Final = 16 * 1024
_SMALL_MESSAGE_BYTES: Final = 512
_CONTENT: Final = frozenset({Kind.SYNC, Kind.SYNC_REPLY})
_YES: Final = messages.status(is_accepted=True)
_NO: Final = messages.status(is_accepted=False)


class Message(NamedTuple):
    """A message that waits.

    Attributes:
        kind: None for one that this version does not know.
        reader: Stands before the body.
        size: Bytes of all of it.
        is_shortened: It was too large: only its beginning is here.
    """

    kind: Kind | None
    reader: Reader
    size: int
    is_shortened: bool = False


class Seat:
    """A client of one socket at one document.

    States: new → asked (the application is asked, then the document opened) → seated → left.

    Args:
        socket: Whose it is.
        address: What its messages begin with: the name of the document, and perhaps a session.

    Attributes:
        head: The address as it is encoded.
        permit: What the application lets the client do.
    """

    __slots__ = (
        "_address",
        "_document",
        "_is_asked",
        "_is_lost",
        "_queue",
        "_socket",
        "_worker",
        "head",
        "permit",
    )

    def __init__(self, socket: ClientSocket, address: str) -> None:
        self._socket = socket
        self._address = address
        self.head = string(address)
        self._queue: deque[Message] | None = None
        self._document: Document | None = None
        self.permit = Permit(socket.house, address, self._ruled)
        self._is_asked = False
        self._is_lost = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def is_seated(self) -> bool:
        """Whether the client is at the document."""
        return self._document is not None

    # ── what the client is told ─────────────────────────────────────────────────────────────

    def write(self, frame: bytes) -> None:
        """Queue a finished frame."""
        self._socket.write(frame)

    def send(self, body: bytes) -> None:
        """Queue a message."""
        self._socket.write(binary_frame(self.head + body))

    def accept(self) -> None:
        """Tell the client that its update is safe with us."""
        self._tell(_YES)

    # ── what the client says ────────────────────────────────────────────────────────────────

    def take(self, message: Message) -> None:
        """Take a message, after those that wait.

        Raises:
            MalformedFrame: If it cannot be read and the client is not seated, or too much waits.
        """
        if message.is_shortened and message.kind not in _CONTENT:
            raise MalformedFrame("too large")
        if self._worker is None and self._document is not None:
            if self._socket.has_said_much or self._is_costly(message):
                self._keep(message)
                self._worker = self._socket.house.spawn(self._catch_up())
            else:
                self._handle(message)
        elif message.kind is Kind.AUTH and not self._is_asked:
            token = messages.read_token(message.reader)
            self._is_asked = True
            self._worker = self._socket.house.spawn(self._admit(token))
        else:
            self._keep(message)

    def _is_costly(self, message: Message) -> bool:
        """Whether a message reads all of a document that is not small: others get their turn."""
        return (
            message.kind in _CONTENT
            and self._document is not None
            and self._document.updates.size > _SMALL_BYTES
            and (message.size > _SMALL_MESSAGE_BYTES or message.reader.peek() != Sync.UPDATE)
        )

    def _keep(self, message: Message) -> None:
        self._socket.backlog.add(message.size)
        if self._queue is None:
            self._queue = deque()
        self._queue.append(message)

    async def _admit(self, token: str) -> None:
        """From the token to the seat."""
        scope = await self.permit.ask(token)
        if scope is None:
            self._refuse()
            return
        self.send(messages.authenticated(scope))
        try:
            document = await self._socket.house.documents.open(messages.document_of(self._address))
        except StoreFailed:
            self._refuse()
            return
        except TooManyDocuments:
            self._socket.house.complain("too many documents are open")
            self._refuse()
            return
        self._document = document
        document.enter(self)
        self._socket.seated()
        self.permit.granted()
        await self._catch_up()

    def _refuse(self) -> None:
        """The client may come with another token, on the same socket."""
        self._socket.house.metrics.collab_denied += 1
        self.send(messages.denied(_DENIED))
        self._vacate()

    async def _catch_up(self) -> None:
        """Handle what has waited, then be free for what comes."""
        while self._queue:
            message = self._queue.popleft()
            self._socket.backlog.remove(message.size)
            with self._closed_by_trouble():
                await self._socket.house.sandbox.finish(self._respond(message))
            await asyncio.sleep(0)
        self._queue = None
        self._worker = None
        if self._is_lost:
            self._leave()

    def _handle(self, message: Message) -> None:
        """Handle a message at once; if it takes long, let it go on in a task."""
        with self._closed_by_trouble():
            steps = self._respond(message)
            job = run_light(steps)
            if job is not None:
                self._worker = self._socket.house.spawn(self._go_on(steps, job))

    async def _go_on(self, steps: Steps[None], job: Job) -> None:
        with self._closed_by_trouble():
            await self._socket.house.sandbox.finish(steps, job)
        await self._catch_up()

    @contextlib.contextmanager
    def _closed_by_trouble(self) -> Iterator[None]:
        try:
            yield
        except TooCostly:
            self._socket.reset()
        except (MalformedFrame, BrokenUpdate):
            self.close(RESET)
        except Exception as error:  # noqa: BLE001 - one client's trouble stays its own
            # Without its words, which may quote what somebody writes.
            log.error("seat failed", extra={"error": type(error).__name__})  # noqa: TRY400
            self.close(RESET)

    def _respond(self, message: Message) -> Steps[None]:
        """Do what a seated client's message asks for."""
        document, reader = self._document, message.reader
        if document is None:
            return
        match message.kind:
            case Kind.SYNC | Kind.SYNC_REPLY if message.is_shortened:
                self._refuse_content()
            case Kind.SYNC | Kind.SYNC_REPLY:
                yield from self._sync(document, *messages.read_sync(reader))
            case Kind.AWARENESS:
                document.hear(reader.buffer(), self)
            case Kind.BROADCAST_STATELESS:
                document.broadcast(messages.stateless(reader.string()))
            case Kind.CLOSE:
                self.close(_LEFT)
            case Kind.AUTH:
                self.permit.show(messages.read_token(reader))
            case _:
                pass  # what nobody here has a use for

    def _sync(self, document: Document, step: Sync, payload: bytes) -> Steps[None]:
        if step is Sync.STEP_1:
            answer = yield from document.answer(payload)
            self._tell(messages.sync(Sync.STEP_1, answer.state))
            self._tell(messages.sync(Sync.STEP_2, answer.missing))
        elif self.permit.is_read_only:
            is_known = step is Sync.STEP_2 and (yield from document.holds(payload))
            self._tell(_YES if is_known else _NO)
        else:
            verdict = yield from document.apply(payload, is_whole=step is Sync.STEP_2)
            if verdict is Verdict.TOO_LARGE:
                self._refuse_content()
            else:
                document.acknowledge(self)

    def _refuse_content(self) -> None:
        """What the client has does not fit: it may come again, and is not listened to until then."""
        if self.permit.is_read_only:
            self._tell(_NO)
        elif self._document is not None:
            self._socket.house.complain("a document would be too large")
            self.close(_TOO_LARGE)
            self._socket.refused(self._address)

    def _tell(self, body: bytes) -> None:
        """Send what only somebody who is at the document may know."""
        if self._document is not None:
            self.send(body)

    # ── whether it still may ────────────────────────────────────────────────────────────────

    def _ruled(self, scope: Scope | None) -> None:
        """The application says something else than before."""
        if self._document is None:
            return
        if scope is None:
            self.expel()
        else:
            self.send(messages.authenticated(scope))

    def expel(self) -> None:
        """The client may not be here any more."""
        self.send(messages.denied(_DENIED))
        self.close(_DENIED)

    # ── the end ─────────────────────────────────────────────────────────────────────────────

    def close(self, reason: str) -> None:
        """Leave the document, and tell the client. It may come again on the same socket."""
        if self._document is not None:
            self._vacate()
            self.send(messages.closed(reason))

    def lost(self) -> None:
        """The socket is gone. What the client has said before that is done, all the same."""
        self.permit.end()
        if self._worker is None:
            self._leave()
        elif self._document is None:
            self._worker.cancel()
            self._worker = None
        else:
            self._is_lost = True
            self._document.miss(self)

    def _vacate(self) -> None:
        self.permit.end()
        self._worker = None  # its task holds this seat
        self._leave()
        self._socket.vacated(self._address, self)

    def _leave(self) -> None:
        document, self._document = self._document, None
        while self._queue:
            self._socket.backlog.remove(self._queue.popleft().size)
        if document is not None:
            document.leave(self)
            self._socket.house.documents.left(document)
