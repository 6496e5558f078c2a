"""All open documents: loaded when the first client comes, and dropped after the last.

A document is loading → open → dropped. Two rules keep what people write:

- what could not be loaded is never stored, so it cannot replace what the store has;
- what could not be stored (``storing``) is never dropped.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import TYPE_CHECKING, Final, NoReturn

from channel_server.collab.document import Document
from channel_server.collab.merging import restore
from channel_server.collab.storing import Storing, words_of
from channel_server.errors import StoreFailed, TooManyDocuments

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.collab.merging import Steps
    from channel_server.collab.options import Options
    from channel_server.collab.peers import Peers
    from channel_server.collab.sandbox import Sandbox
    from channel_server.collab.seat import Seat
    from channel_server.core.documents import Store
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)

_SWEEP_S: Final = 3.0
_SLICE: Final = 500
_LOOKS: Final = 20
"""After so many sweeps, a minute, the store was asked about every open document."""


class Documents:
    """Opens and drops documents.

    Args:
        store: Keeps what nobody is at.
        sandbox: Merges what is large.
        options: How often to store, and how much to hold.
        metrics: Counts.
        clock: Monotonic seconds.

    Attributes:
        peers: Other nodes that may have the same documents; None if there are none.
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
        self._options = options
        self._metrics = metrics
        self._clock = clock
        self._storing = Storing(
            store, sandbox, options, metrics=metrics, clock=clock, clean=self._drop_unused
        )
        self._open: dict[str, Document] = {}
        self._loading: dict[str, asyncio.Task[StoreFailed | None]] = {}
        self._arriving: dict[str, Document] = {}
        self._group: asyncio.TaskGroup | None = None
        self._bytes = 0
        self._load_trouble: str | None = None
        self.peers: Peers | None = None

    @property
    def trouble(self) -> str | None:
        """Why a document cannot be stored, or the last one could not be loaded; None: all is well."""
        return self._storing.trouble or self._load_trouble

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
                if self._is_full:
                    raise TooManyDocuments
                assert self._group is not None, "Documents.run is not running"
                loading = self._group.create_task(self._load(name))
                self._loading[name] = loading
            trouble = await asyncio.shield(loading)
            if trouble is not None:
                raise trouble
        return document

    @property
    def _is_full(self) -> bool:
        many = len(self._open) + len(self._loading)
        return many >= self._options.max_documents or self._bytes >= self._options.max_bytes

    async def _load(self, name: str) -> StoreFailed | None:
        """Load a document. Return why that is not possible."""
        try:
            document = await self._loaded(name)
        except Exception as error:  # noqa: BLE001 - whatever it is, only this document is meant
            self._note_failed(error)
            return StoreFailed(type(error).__name__)
        finally:
            del self._loading[name]
            self._arriving.pop(name, None)
        self._load_trouble = None
        self._open[name] = document
        self._metrics.collab_documents = len(self._open)
        return None

    def _note_failed(self, error: Exception) -> None:
        """Say it once, until a document can be loaded, or cannot for another reason."""
        reason = words_of(error)
        if self._load_trouble != reason:
            log.error("document not loaded", extra={"reason": reason})
        self._load_trouble = reason
        self._metrics.collab_store_failures += 1

    async def _loaded(self, name: str) -> Document:
        """What the store has, and what other nodes have that is not stored yet."""
        kept = await self._store.load(name)
        data = kept.data
        if data is not None:
            data = await self._sandbox.finish(_restored(data))
        document = Document(
            name,
            data,
            max_bytes=self._options.max_document_bytes,
            watcher=self,
            clock=self._clock,
        )
        document.version = kept.version
        if self.peers is not None:
            self._arriving[name] = document  # it hears already what they say
            await self.peers.catch_up(document)
            # One that has stored and closed it since we have read it had nothing to say.
            await self._storing.catch_up(document)
        return document

    def find(self, name: str) -> Document | None:
        """Return a document that is open, or about to be; None if there is none."""
        return self._open.get(name) or self._arriving.get(name)

    def all(self) -> list[Document]:
        """All open documents."""
        return list(self._open.values())

    def look_at_all(self) -> None:
        """See whether the store still has what is open here, and write again what it has lost."""
        for document in self.all():
            self._storing.look_at(document)

    # ── what happens to documents ───────────────────────────────────────────────────────────

    def changed(self, document: Document, update: bytes, *, is_ours: bool) -> None:
        """The content has changed: it has to be stored, and other nodes are told."""
        self._metrics.collab_updates += 1
        if is_ours and self.peers is not None:
            self.peers.changed(document, update)
        self._storing.schedule(document, is_ours=is_ours)

    def moved(self, document: Document, awareness: bytes) -> None:
        """A client says who or where it is: other nodes are told."""
        if self.peers is not None:
            self.peers.moved(document, awareness)

    def applied(self, document: Document, seat: Seat) -> None:
        """Accept an update of a client: now, or when the store has it."""
        self._storing.acknowledge(document, seat)

    def left(self, document: Document) -> None:
        """A client has left; after the last one the document is stored at once, and dropped.

        One that is stored already is looked at before: the store may have lost it.
        """
        if document.is_needed:
            return
        if document.is_dirty:
            self._storing.schedule(document, is_ours=True)
        elif self._storing.may_be_lost(document):
            self._storing.look_at(document)
        else:
            self._drop_unused(document)

    def _drop_unused(self, document: Document) -> None:
        if not document.is_needed and not document.is_dirty:
            if self._open.get(document.name) is document:
                del self._open[document.name]
            self._metrics.collab_documents = len(self._open)

    # ── time ────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> NoReturn:
        """Load and store, until cancelled. Must run before the first document is opened."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._storing.run(), name="documents storing")
            await self._sweep()
        raise AssertionError

    async def _sweep(self) -> NoReturn:
        """Forget clients that say nothing, and documents that nobody has entered."""
        for sweep in itertools.count():
            await asyncio.sleep(_SWEEP_S)
            self._bytes = sum(document.updates.size for document in self._open.values())
            for count, document in enumerate(self.all()):
                document.drop_outdated()
                self.left(document)
                # Whoever does not enter by the next time is not expected any more.
                document.is_expecting = False
                if (count + sweep) % _LOOKS == 0:
                    self._storing.look_at(document)
                if count % _SLICE == _SLICE - 1:
                    await asyncio.sleep(0)
            await self._storing.look_after()
        raise AssertionError

    async def flush(self) -> None:
        """The process ends: store everything now. Returns when nothing is left to store."""
        await self._storing.flush(self.all)

    @property
    def unstored(self) -> int:
        """How many documents the store lacks, or has an older state of."""
        return sum(document.is_dirty for document in self.all())

    async def close(self) -> None:
        """End what runs beside this process."""
        await self._storing.close()


def _restored(stored: bytes) -> Steps[bytes]:
    return (yield restore(stored))
