"""Other nodes that have the same documents: each tells the others what its clients do.

All of them hear one channel of Redis. A change is said as it comes. What was not heard, because a
document was just being opened or Redis was away, is asked for: a node says how far it is, each of
the others answers with what is missing, and with how far it is itself. Nothing depends on the order
of what is heard, nor on hearing it once.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from channel_server.collab.lib0 import Reader, buffer, string, uint
from channel_server.collab.messages import EMPTY_STATE, EMPTY_UPDATE
from channel_server.errors import BrokenUpdate, MalformedFrame, StoreFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from channel_server.collab.document import Answer, Document
    from channel_server.collab.sandbox import Sandbox

CHANNEL: Final = "{channel_server}:documents"
_ANSWERS_WITHIN_S: Final = 1.0
_ABSENT_S: Final = 10.0
"""So long a node that has not answered is not waited for; Redis may count it for minutes."""
_ASKING_AT_A_TIME: Final = 32


class _Word(enum.IntEnum):
    """What a node says."""

    UPDATE = 0
    """A client has changed a document: the update."""
    AWARENESS = 1
    """A client is here, or there: the awareness update."""
    QUESTION = 2
    """How far I am: its number, and a state vector."""
    ANSWER = 3
    """To whom, the number, what is missing, how far I am, and who is here."""
    COMPLETION = 4
    """An update with all that another node may lack."""


class Bus(Protocol):
    """Reaches all nodes, this one included."""

    def publish(self, word: bytes, heard_by: Callable[[int], None]) -> bool:
        """Say something.

        Args:
            word: What.
            heard_by: Called with the number of nodes that heard it.

        Returns:
            False if nobody can be reached now.
        """
        ...


class _Question:
    """A question of this node, until all have answered.

    Attributes:
        is_answered: Set then.

    Args:
        absent: So many that Redis still counts have not answered lately.
    """

    def __init__(self, absent: int) -> None:
        self.is_answered = asyncio.Event()
        self._absent = absent
        self._answers = 0
        self._expected: int | None = None

    def heard_by(self, nodes: int) -> None:
        """So many nodes have heard it: this one, which counts as an answer, and others."""
        self._expected = nodes
        self._look()

    def answered(self) -> None:
        """A node has answered."""
        self._answers += 1
        self._look()

    def _look(self) -> None:
        if self._expected is not None and self._answers >= self._expected - self._absent:
            self.is_answered.set()

    @property
    def missing(self) -> int:
        """How many have not answered."""
        return max((self._expected or 0) - self._answers, 0)


class _Heard(NamedTuple):
    """What another node has said."""

    node: str
    name: str
    word: _Word
    reader: Reader


class Peers:
    """Speaks for the documents of this node.

    Args:
        node: Name of this node.
        bus: Reaches the others.
        find: Returns a document of this node by its name; None if it is not open.
        sandbox: Merges what is large.
        spawn: Runs what has to wait.
        complain: Says what is wrong, but not all the time.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        node: str,
        bus: Bus,
        *,
        find: Callable[[str], Document | None],
        sandbox: Sandbox,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        complain: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._node = node
        self._bus = bus
        self._find = find
        self._sandbox = sandbox
        self._spawn = spawn
        self._questions: dict[int, _Question] = {}
        self._number = 0
        self._complain = complain
        self._clock = clock
        self._absent = 0
        self._absent_until_s = float("-inf")

    # ── what this node says ─────────────────────────────────────────────────────────────────

    def changed(self, document: Document, update: bytes) -> None:
        """A client of this node has changed a document."""
        self._say(document.name, _Word.UPDATE, buffer(update))

    def moved(self, document: Document, awareness: bytes) -> None:
        """A client of this node says who or where it is."""
        self._say(document.name, _Word.AWARENESS, buffer(awareness))

    async def catch_up(self, document: Document) -> None:
        """Ask the others what they have of a document, and wait for their answers.

        Raises:
            StoreFailed: If they cannot be asked: what they have would be overlooked.
        """
        self._number += 1
        number = self._number
        is_known_absent = self._clock() < self._absent_until_s
        question = self._questions[number] = _Question(self._absent if is_known_absent else 0)
        try:
            steps = document.answer(EMPTY_STATE)
            ours = await self._sandbox.finish(steps)
            body = uint(number) + buffer(ours.state)
            if not self._say(document.name, _Word.QUESTION, body, question.heard_by):
                raise StoreFailed("Redis is lost: other nodes cannot be asked")
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                await question.is_answered.wait()
        except TimeoutError:
            self._complain("another node does not say what it has of a document")
            self._absent = question.missing
            self._absent_until_s = self._clock() + _ABSENT_S
        finally:
            del self._questions[number]

    async def catch_up_all(self, documents: list[Document]) -> None:
        """Something may have been missed, here or there: ask about all documents."""
        slots = asyncio.Semaphore(_ASKING_AT_A_TIME)

        async def ask(document: Document) -> None:
            # What fails is asked again when Redis is back.
            with contextlib.suppress(StoreFailed, BrokenUpdate):
                async with slots:
                    await self.catch_up(document)

        async with asyncio.TaskGroup() as group:
            for document in documents:
                group.create_task(ask(document))

    def _say(
        self,
        name: str,
        word: _Word,
        body: bytes,
        heard_by: Callable[[int], None] = lambda _: None,
    ) -> bool:
        head = string(self._node) + string(name) + uint(word)
        return self._bus.publish(head + body, heard_by)

    # ── what this node hears ────────────────────────────────────────────────────────────────

    def heard(self, said: bytes) -> None:
        """Take what a node has said. What cannot be read is of a newer version, and left."""
        try:
            reader = Reader(said)
            node, name, word = reader.string(), reader.string(), _Word(reader.uint())
            self._take(_Heard(node, name, word, reader))
        except ValueError:
            self._complain("a node said what cannot be read")

    def _take(self, heard: _Heard) -> None:
        is_own = heard.node == self._node
        match heard.word:
            case _Word.QUESTION:
                number = heard.reader.uint()
                if is_own:
                    self._count(number)
                else:
                    self._spawn(self._answer(heard, number, heard.reader.buffer()))
            case _Word.ANSWER if heard.reader.string() == self._node:
                self._spawn(self._learn(heard))
            case _Word.UPDATE | _Word.COMPLETION if not is_own:
                self._change(heard)
            case _Word.AWARENESS if not is_own:
                document = self._find(heard.name)
                if document is not None:
                    document.hear(heard.reader.buffer(), None)
            case _:
                pass

    def _count(self, number: int) -> None:
        question = self._questions.get(number)
        if question is not None:
            question.answered()

    def _change(self, heard: _Heard) -> None:
        document = self._find(heard.name)
        if document is not None:
            is_whole = heard.word is _Word.COMPLETION
            self._spawn(self._apply(document, heard.reader.buffer(), is_whole=is_whole))

    async def _apply(self, document: Document, update: bytes, *, is_whole: bool) -> None:
        steps = document.apply(update, is_ours=False, is_whole=is_whole)
        try:
            await self._sandbox.finish(steps)
        except BrokenUpdate:
            self._complain("a node said what is no update")

    async def _answer(self, heard: _Heard, number: int, known: bytes) -> None:
        """Tell another node what it lacks, or that the document is not open here."""
        document = self._find(heard.name)
        lacks, state, awareness = EMPTY_UPDATE, b"", b""
        if document is not None:
            try:
                answer: Answer = await self._sandbox.finish(document.answer(known))
            except BrokenUpdate:
                return
            lacks, state = answer.missing, answer.state
            awareness = document.awareness.update_for(document.awareness.present)
        body = string(heard.node) + uint(number) + buffer(lacks) + buffer(state)
        self._say(heard.name, _Word.ANSWER, body + buffer(awareness))

    async def _learn(self, heard: _Heard) -> None:
        """Take an answer, and tell the other node what it lacks itself."""
        try:
            number = heard.reader.uint()
            lacked, state, awareness = (heard.reader.buffer() for _ in range(3))
            document = self._find(heard.name)
            if document is not None:
                await self._apply(document, lacked, is_whole=True)
                if awareness:
                    document.hear(awareness, None)
                if state:
                    await self._complete(document, state)
            self._count(number)
        except (MalformedFrame, BrokenUpdate):
            self._complain("a node said what cannot be read")

    async def _complete(self, document: Document, known: bytes) -> None:
        """Say what another node lacks; deletions it may lack, too, whatever its state."""
        answer = await self._sandbox.finish(document.answer(known))
        if answer.missing != EMPTY_UPDATE:
            self._say(document.name, _Word.COMPLETION, buffer(answer.missing))
