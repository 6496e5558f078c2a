"""When and how documents are stored: what could not be is kept, and tried again.

What the store has and we lack, because another node has stored it, is taken over before we store.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NoReturn

from channel_server.collab.agenda import Agenda
from channel_server.collab.document import Verdict
from channel_server.collab.merging import compact
from channel_server.collab.messages import RESET
from channel_server.collab.sandbox import Sandbox
from channel_server.errors import BrokenUpdate, ChannelServerError, StoreFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.collab.document import Document
    from channel_server.collab.merging import Job, Steps
    from channel_server.collab.options import Options
    from channel_server.collab.seat import Seat
    from channel_server.core.documents import Store
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)

_TICK_S: Final = 0.25
_MAX_STORING: Final = 32
_MAX_WAITING: Final = 10_000
"""Updates of one document that are not accepted yet, because the store fails."""
_FORGET_EVERY_S: Final = 3600.0


class Storing:
    """Stores documents that have changed, one writer for each at a time.

    Args:
        store: Keeps them.
        sandbox: Merges what is large.
        options: How often.
        metrics: Counts.
        clock: Monotonic seconds.
        clean: Called with a document that has been stored, and has not changed meanwhile.
    """

    def __init__(
        self,
        store: Store,
        sandbox: Sandbox,
        options: Options,
        *,
        metrics: Metrics,
        clock: Callable[[], float],
        clean: Callable[[Document], None],
    ) -> None:
        self._store = store
        self._sandbox = sandbox
        # Nobody waits for it, and it may take long: it must not keep those waiting who join.
        self._compactor = Sandbox()
        self._options = options
        self._metrics = metrics
        self._clock = clock
        self._clean = clean
        self._agenda: Agenda[Document] = Agenda(options.debounce_s, options.max_debounce_s, clock)
        self._acknowledgements: dict[Document, list[tuple[int, Seat]]] = {}
        self._wake = asyncio.Event()
        self._settled = asyncio.Event()
        self._failing: dict[Document, str] = {}
        self._slots = asyncio.Semaphore(_MAX_STORING)
        self._is_ending = False
        self._forgotten_at_s = float("-inf")

    @property
    def trouble(self) -> str | None:
        """Why a document cannot be stored; None if all can."""
        return next(iter(self._failing.values()), None)

    def schedule(self, document: Document, *, is_ours: bool) -> None:
        """A document has changed, or has been left.

        Args:
            document: Which.
            is_ours: Else the node of the client stores it, and this one only if that does not.
        """
        was_idle = not self._agenda
        is_urgent = self._options.is_durable or not document.is_needed
        if is_urgent:
            self._agenda.urge(document)
        else:
            self._agenda.changed(document, is_ours=is_ours)
        if was_idle or is_urgent:
            self._wake.set()

    def may_be_lost(self, document: Document) -> bool:
        """Whether the store may have forgotten a document that it had."""
        return self._store.may_forget and not document.updates.is_empty

    def look_at(self, document: Document) -> None:
        """See whether the store still has a document; if it has lost it, write it again."""
        if self.may_be_lost(document) and not document.is_dirty:
            self._agenda.urge(document)
            self._wake.set()

    def acknowledge(self, document: Document, seat: Seat) -> None:
        """Accept an update of a client: now, or when the store has it."""
        if self._options.is_durable and document.is_dirty:
            waiting = self._acknowledgements.setdefault(document, [])
            if len(waiting) >= _MAX_WAITING:
                seat.close(RESET)  # it comes again, and says what it has
            else:
                waiting.append((document.changes, seat))
        else:
            seat.accept()

    async def run(self) -> NoReturn:
        """Store what is due, until cancelled."""
        async with asyncio.TaskGroup() as group:
            looked_at_s = self._clock()
            while True:
                due = self._agenda.take_urgent()
                if self._clock() - looked_at_s >= _TICK_S:
                    looked_at_s = self._clock()
                    due += self._agenda.take_due()
                for document in due:
                    group.create_task(self._store_one(document), name="document store")
                self._wake.clear()
                await _set_within(self._wake, _TICK_S if self._agenda else None)
        raise AssertionError

    async def _store_one(self, document: Document) -> None:
        """Store a document; if that fails, it stays, and is tried again."""
        try:
            async with self._slots:
                changes = await self._save(document)
        except Exception as error:  # noqa: BLE001 - whatever it is, the document stays
            self._note_failed(document, error)
            return
        self._failing.pop(document, None)
        document.stored_changes = max(document.stored_changes, changes)
        self._agenda.done(document)
        self._accept(document)
        if document.is_dirty:
            self.schedule(document, is_ours=True)
        else:
            self._clean(document)
        if not self._agenda:
            self._settled.set()

    async def _save(self, document: Document) -> int:
        """Write a document, unless the store has it. Return how many of its changes that holds."""
        if not document.is_dirty and await self._store.has(document.name, document.version):
            return document.stored_changes
        while True:
            changes = document.changes
            snapshot = await self._sandbox.finish(document.updates.snapshot())
            if not (document.is_needed or self._is_ending):
                snapshot = await self._compacted(document, snapshot)
            version = await self._store.save(document.name, snapshot, document.version)
            if version is not None:
                self._metrics.collab_stores += 1
                document.version = version
                return changes
            if await self.catch_up(document) == snapshot:
                return changes

    async def catch_up(self, document: Document) -> bytes | None:
        """Take what another node has stored since we have looked. Return what is stored."""
        kept = await self._store.load(document.name)
        if kept.data is not None and kept.version != document.version:
            steps = document.apply(kept.data, is_ours=False, is_whole=True)
            if await self._sandbox.finish(steps) is Verdict.BROKEN:
                raise StoreFailed("what another node has stored is no document")
        document.version = kept.version
        return kept.data

    async def _compacted(self, document: Document, snapshot: bytes) -> bytes:
        """Nobody is there: a good moment to drop the text that was deleted."""
        try:
            compacted = await self._compactor.finish(_only(compact(snapshot)))
        except BrokenUpdate:
            return snapshot
        document.updates.shrink(snapshot, compacted)
        return compacted

    def _accept(self, document: Document) -> None:
        """Tell clients whose updates the store has."""
        waiting = self._acknowledgements.pop(document, [])
        later = []
        for changes, seat in waiting:
            if changes <= document.stored_changes:
                seat.accept()
            else:
                later.append((changes, seat))
        if later:
            self._acknowledgements[document] = later

    def _note_failed(self, document: Document, error: Exception) -> None:
        """Say it once, for whichever document, until there is no trouble or another one."""
        reason = words_of(error)
        if reason not in self._failing.values():
            log.error("document not stored", extra={"reason": reason})
        self._failing[document] = reason
        self._agenda.failed(document)
        self._metrics.collab_store_failures += 1

    async def flush(self, documents: Callable[[], list[Document]]) -> None:
        """The process ends: store everything now. Returns when nothing is left to store."""
        self._is_ending = True
        while left := [each for each in documents() if self._is_to_be_stored(each)]:
            for document in left:
                self._agenda.soon(document)
            self._settled.clear()
            self._wake.set()
            await _set_within(self._settled, 1.0)

    def _is_to_be_stored(self, document: Document) -> bool:
        """A clean one that nobody needs is looked at once more, if that can be done now."""
        if document.is_dirty:
            return True
        is_left = not (document.is_needed or document in self._failing)
        return is_left and self.may_be_lost(document)

    async def look_after(self) -> None:
        """Drop documents that nobody has changed for long, and end processes that are not used."""
        await self._compactor.end_if_idle()
        now_s = self._clock()
        if self._options.keep_s and now_s - self._forgotten_at_s > _FORGET_EVERY_S:
            self._forgotten_at_s = now_s
            try:
                await self._store.forget(self._options.keep_s)
            except StoreFailed as error:
                log.warning("old documents not dropped", extra={"reason": str(error)})

    async def close(self) -> None:
        """End what runs beside this process."""
        await self._compactor.close()


def words_of(error: Exception) -> str:
    """What went wrong. The words of an error that is not ours may quote what somebody writes."""
    return str(error) if isinstance(error, ChannelServerError) else type(error).__name__


async def _set_within(event: asyncio.Event, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


def _only(job: Job) -> Steps[bytes]:
    return (yield job)
