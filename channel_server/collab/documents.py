"""All open documents: loaded when the first client comes, stored, and dropped after the last.

A document is loading → open → dropped. Two rules keep what people write:

- what could not be loaded is never stored, so it cannot replace what the store has;
- what could not be stored is never dropped, and storing it is tried again.

What the store has and we lack, because another node has stored it, is taken over before we store.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NoReturn

from channel_server.collab.agenda import Agenda
from channel_server.collab.document import Document
from channel_server.collab.merging import check, compact
from channel_server.collab.sandbox import Sandbox
from channel_server.errors import (
    BrokenUpdate,
    ChannelServerError,
    StoreFailed,
    TooManyDocuments,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.collab.merging import Job, Steps
    from channel_server.collab.options import Options
    from channel_server.collab.peers import Peers
    from channel_server.collab.seat import Seat
    from channel_server.core.documents import Store
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)

_TICK_S: Final = 0.25
_SWEEP_S: Final = 3.0
_MAX_STORING: Final = 32
_FORGET_EVERY_S: Final = 3600.0
_COMPACT_WITHIN_S: Final = 3.0


class Documents:
    """Opens, stores and drops documents.

    Args:
        store: Keeps what nobody is at.
        sandbox: Merges what is large.
        options: How often to store, and how much to hold.
        metrics: Counts.
        clock: Monotonic seconds.

    Attributes:
        peers: Other nodes that may have the same documents; None if there are none.
        trouble: Why the last document could not be stored or loaded; None if it could.
    """

    def __init__(
        self,
        store: Store,
        sandbox: Sandbox,
        options: Options,
        *,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._sandbox = sandbox
        # Nobody waits for it, and it may take long: it must not keep those waiting who join.
        self._compactor = Sandbox(timeout_s=_COMPACT_WITHIN_S)
        self._is_ending = False
        self._options = options
        self._metrics = metrics
        self._clock = clock
        self._agenda: Agenda[Document] = Agenda(options.debounce_s, options.max_debounce_s, clock)
        self._open: dict[str, Document] = {}
        self._loading: dict[str, asyncio.Task[StoreFailed | None]] = {}
        self._arriving: dict[str, Document] = {}
        self._acknowledgements: dict[Document, list[tuple[int, Seat]]] = {}
        self._wake = asyncio.Event()
        self._stored = asyncio.Event()
        self._slots = asyncio.Semaphore(_MAX_STORING)
        self._group: asyncio.TaskGroup | None = None
        self.peers: Peers | None = None
        self.trouble: str | None = None

    def __len__(self) -> int:
        return len(self._open)

    # ── opening ─────────────────────────────────────────────────────────────────────────────

    async def open(self, name: str) -> Document:
        """Return a document; who gets it has to ``enter`` it at once, without waiting.

        Raises:
            StoreFailed: If it cannot be loaded.
            TooManyDocuments: If too many are open.
        """
        while (document := self._open.get(name)) is None:
            loading = self._loading.get(name)
            if loading is None:
                if len(self._open) + len(self._loading) >= self._options.max_documents:
                    raise TooManyDocuments
                assert self._group is not None, "Documents.run is not running"
                loading = self._group.create_task(self._load(name))
                self._loading[name] = loading
            trouble = await asyncio.shield(loading)
            if trouble is not None:
                raise trouble
        return document

    async def _load(self, name: str) -> StoreFailed | None:
        """Load a document. Return why that is not possible."""
        try:
            document = await self._loaded(name)
        except (StoreFailed, BrokenUpdate) as error:
            self._note_trouble("document not loaded", error)
            return StoreFailed(str(error))
        finally:
            del self._loading[name]
            self._arriving.pop(name, None)
        self._open[name] = document
        self._metrics.collab_documents = len(self._open)
        return None

    async def _loaded(self, name: str) -> Document:
        """What the store has, and what other nodes have that is not stored yet."""
        kept = await self._store.load(name)
        if kept.data is not None:
            await self._sandbox.finish(_checked(kept.data))
        document = Document(
            name,
            kept.data,
            max_bytes=self._options.max_document_bytes,
            watcher=self,
            clock=self._clock,
        )
        document.version = kept.version
        if self.peers is not None:
            self._arriving[name] = document  # it hears already what they say
            await self.peers.catch_up(document)
        return document

    def find(self, name: str) -> Document | None:
        """Return a document that is open, or about to be; None if there is none."""
        return self._open.get(name) or self._arriving.get(name)

    def all(self) -> list[Document]:
        """All open documents."""
        return list(self._open.values())

    # ── what happens to documents ───────────────────────────────────────────────────────────

    def changed(self, document: Document, update: bytes, *, is_ours: bool) -> None:
        """The content has changed: it has to be stored, and other nodes are told."""
        self._metrics.collab_updates += 1
        if is_ours and self.peers is not None:
            self.peers.changed(document, update)
        self._schedule(document, is_ours=is_ours)

    def moved(self, document: Document, awareness: bytes) -> None:
        """A client says who or where it is: other nodes are told."""
        if self.peers is not None:
            self.peers.moved(document, awareness)

    def applied(self, document: Document, seat: Seat) -> None:
        """Accept an update of a client: now, or when the store has it."""
        if self._options.is_durable and document.is_dirty:
            waiting = self._acknowledgements.setdefault(document, [])
            waiting.append((document.changes, seat))
        else:
            seat.accept()

    def _schedule(self, document: Document, *, is_ours: bool) -> None:
        was_idle = not self._agenda
        is_urgent = self._options.is_durable or not document.seats
        if is_urgent:
            self._agenda.urge(document)
        else:
            self._agenda.changed(document, is_ours=is_ours)
        if was_idle or is_urgent:
            self._wake.set()

    def left(self, document: Document) -> None:
        """A client has left; after the last one the document is stored at once, and dropped."""
        if document.seats:
            return
        if document.is_dirty:
            self._schedule(document, is_ours=True)
        else:
            self._drop_unused(document)

    def _drop_unused(self, document: Document) -> None:
        if not document.seats and not document.is_dirty:
            self._agenda.done(document)
            if self._open.get(document.name) is document:
                del self._open[document.name]
            self._metrics.collab_documents = len(self._open)

    # ── storing ─────────────────────────────────────────────────────────────────────────────

    async def run(self) -> NoReturn:
        """Store what is due, until cancelled. Must run before the first document is opened."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._sweep(), name="documents sweep")
            while True:
                for document in self._agenda.take_due():
                    group.create_task(self._store_one(document), name="document store")
                self._wake.clear()
                try:
                    async with asyncio.timeout(_TICK_S if self._agenda else None):
                        await self._wake.wait()
                except TimeoutError:
                    pass
        raise AssertionError

    async def close(self) -> None:
        """End what runs beside this process."""
        await self._compactor.close()

    async def _store_one(self, document: Document) -> None:
        """Store a document; if that fails, it stays, and is tried again."""
        changes = document.changes
        try:
            async with self._slots:
                changes = await self._save(document)
        except Exception as error:  # noqa: BLE001 - whatever it is, the document stays
            self._note_trouble("document not stored", error)
            self._agenda.failed(document)
            return
        self.trouble = None
        self._metrics.collab_stores += 1
        document.stored_changes = max(document.stored_changes, changes)
        self._agenda.done(document)
        self._accept(document)
        if document.is_dirty:
            self._schedule(document, is_ours=True)
        else:
            self._drop_unused(document)
        self._stored.set()

    async def _save(self, document: Document) -> int:
        """Write a document. Return how many of its changes that holds."""
        while True:
            changes = document.changes
            snapshot = await self._sandbox.finish(document.updates.snapshot())
            if not (document.seats or self._is_ending):
                snapshot = await self._compacted(document, snapshot)
            version = await self._store.save(document.name, snapshot, document.version)
            if version is not None:
                document.version = version
                return changes
            kept = await self._store.load(document.name)
            document.version = kept.version
            if kept.data == snapshot:
                return changes
            if kept.data is not None:
                steps = document.apply(kept.data, is_ours=False, is_whole=True)
                await self._sandbox.finish(steps)

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

    def _note_trouble(self, text: str, error: Exception) -> None:
        """Say it once; it is said again when it is another one."""
        # The words of an error that we did not raise may quote what somebody writes.
        is_known = isinstance(error, ChannelServerError)
        reason = str(error) if is_known else type(error).__name__
        if self.trouble != reason:
            self.trouble = reason
            log.error(text, extra={"reason": reason})
        self._metrics.collab_store_failures += 1

    async def flush(self) -> None:
        """The process ends: store everything now. Returns when nothing is left to store."""
        self._is_ending = True
        while dirty := [document for document in self._open.values() if document.is_dirty]:
            for document in dirty:
                self._agenda.soon(document)
            self._stored.clear()
            self._wake.set()
            try:
                async with asyncio.timeout(1.0):
                    await self._stored.wait()
            except TimeoutError:
                pass

    @property
    def unstored(self) -> int:
        """How many documents the store lacks, or has an older state of."""
        return sum(document.is_dirty for document in self._open.values())

    # ── housekeeping ────────────────────────────────────────────────────────────────────────

    async def _sweep(self) -> NoReturn:
        """Forget clients that say nothing, documents that nobody has entered, and old ones."""
        forgotten_at_s = float("-inf")
        while True:
            await asyncio.sleep(_SWEEP_S)
            for document in list(self._open.values()):
                document.drop_outdated()
                self.left(document)
            await self._sandbox.end_if_idle()
            await self._compactor.end_if_idle()
            if self._options.keep_s and self._clock() - forgotten_at_s > _FORGET_EVERY_S:
                forgotten_at_s = self._clock()
                await self._forget()

    async def _forget(self) -> None:
        try:
            await self._store.forget(self._options.keep_s)
        except StoreFailed as error:
            self._note_trouble("old documents not dropped", error)


def _only(job: Job) -> Steps[bytes]:
    return (yield job)


def _checked(stored: bytes) -> Steps[bytes]:
    """What a store has was ours, but a disk may have changed it."""
    return (yield check(stored, is_trusted=True))
