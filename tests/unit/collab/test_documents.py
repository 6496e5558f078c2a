"""Documents are loaded and stored without losing what another node, or a store in trouble, has."""

import asyncio
import contextlib

import pytest

from channel_server.collab.documents import Documents
from channel_server.collab.merging import merge
from channel_server.collab.options import Options
from channel_server.collab.sandbox import Sandbox
from channel_server.core.documents import Kept
from channel_server.errors import StoreFailed, TooManyDocuments
from channel_server.metrics import Metrics
from tests.collab.client import text

pytestmark = pytest.mark.asyncio

OLD, NEW, MORE = text("old"), text("new", client=6), text("more", client=7)


class Shelf:
    """A store in memory, with versions as in Redis; it fails when it is told to."""

    def __init__(self):
        self.kept = {}
        self.trouble = None
        self.saves = 0

    async def load(self, name):
        self._fail()
        return self.kept.get(name, Kept(None))

    async def save(self, name, data, version):
        self._fail()
        if self.kept.get(name, Kept(None)).version != version:
            return None
        self.put(name, data)
        return self.kept[name].version

    may_forget = True

    async def has(self, name, version):
        self._fail()
        return self.kept.get(name, Kept(None)).version == version

    async def forget(self, _older_than_s):
        self._fail()

    def put(self, name, data):
        """What another node does."""
        self.saves += 1
        self.kept[name] = Kept(data, b"%d" % self.saves)

    def _fail(self):
        if self.trouble is not None:
            raise StoreFailed(self.trouble)


class Seat:
    head = b""

    def __init__(self):
        self.accepted = 0
        self.reasons = []

    def write(self, frame):
        pass

    def send(self, body):
        pass

    def accept(self):
        self.accepted += 1

    def close(self, reason):
        self.reasons.append(reason)


class Peers:
    """Another node, which does something when it is asked."""

    def __init__(self, answer):
        self.answer = answer

    async def catch_up(self, document):
        self.answer(document)

    def changed(self, document, update):
        pass

    def moved(self, document, awareness):
        pass


@pytest.fixture
def shelf():
    return Shelf()


@contextlib.asynccontextmanager
async def running(shelf, clock, **options):
    sandbox = Sandbox()
    documents = Documents(shelf, sandbox, Options(**options), metrics=Metrics(), clock=clock)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(documents.run())
        await asyncio.sleep(0)
        yield documents
        task.cancel()
    await sandbox.close()
    await documents.close()


async def ends(state):
    """Wait until something is no longer so."""
    async with asyncio.timeout(10):
        while state():  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0)


async def in_trouble(documents):
    """Wait until storing has failed."""
    await ends(lambda: documents.trouble is None)


def run(steps):
    try:
        job = next(steps)
        while True:
            job = steps.send(job.run())
    except StopIteration as done:
        return done.value


def content(document):
    return run(document.updates.snapshot())


async def test_many_who_open_a_document_get_the_same(shelf, clock):
    async with running(shelf, clock) as documents:
        first, second = await asyncio.gather(documents.open("d"), documents.open("d"))

        assert first is second
        assert len(documents) == 1


async def test_document_is_stored_and_dropped_when_the_last_has_left(shelf, clock):
    async with running(shelf, clock) as documents:
        document, seat = await documents.open("d"), Seat()
        document.enter(seat)
        run(document.apply(OLD))
        document.leave(seat)
        documents.left(document)
        await documents.flush()

        assert shelf.kept["d"].data == OLD
        assert len(documents) == 0


async def test_what_the_store_has_lost_is_written_again_when_the_last_leaves(shelf, clock):
    async with running(shelf, clock) as documents:
        document, seat = await documents.open("d"), Seat()
        document.enter(seat)
        run(document.apply(OLD))
        await documents.flush()
        shelf.kept.clear()
        document.leave(seat)
        documents.left(document)
        await documents.flush()

        assert shelf.kept["d"].data == OLD
        assert len(documents) == 0


async def test_what_the_store_has_lost_is_written_again_while_it_is_open(shelf, clock):
    async with running(shelf, clock) as documents:
        document = await documents.open("d")
        document.enter(Seat())
        run(document.apply(OLD))
        await documents.flush()
        shelf.kept.clear()
        documents.look_at_all()
        await ends(lambda: not shelf.kept)

        assert shelf.kept["d"].data == OLD
        assert shelf.saves == 2


async def test_an_older_version_that_is_back_is_written_over(shelf, clock):
    """As after a crash of a Redis that saves every few minutes."""
    async with running(shelf, clock) as documents:
        document = await documents.open("d")
        document.enter(Seat())
        run(document.apply(OLD))
        await documents.flush()
        before = shelf.kept["d"]
        run(document.apply(NEW))
        await documents.flush()
        shelf.kept["d"] = before
        documents.look_at_all()
        await ends(lambda: shelf.kept["d"] is before)

        assert shelf.kept["d"].data == content(document) != OLD


async def test_what_was_never_written_is_not_stored_at_the_end(shelf, clock):
    async with running(shelf, clock) as documents:
        await documents.open("d")
        await documents.flush()

        assert shelf.kept == {}


async def test_the_end_does_not_wait_for_a_look_that_fails(shelf, clock):
    shelf.put("d", OLD)
    async with running(shelf, clock) as documents:
        document, seat = await documents.open("d"), Seat()
        document.enter(seat)
        shelf.trouble = "Redis is away"
        document.leave(seat)
        documents.left(document)
        await documents.flush()

        assert documents.unstored == 0


async def test_what_the_store_has_is_not_written_again(shelf, clock):
    shelf.put("d", OLD)
    async with running(shelf, clock) as documents:
        document, seat = await documents.open("d"), Seat()
        document.enter(seat)
        document.leave(seat)
        documents.left(document)
        await documents.flush()

        assert (shelf.saves, len(documents)) == (1, 0)


async def test_what_cannot_be_looked_at_is_not_dropped(shelf, clock):
    shelf.put("d", OLD)
    async with running(shelf, clock) as documents:
        document, seat = await documents.open("d"), Seat()
        document.enter(seat)
        shelf.trouble = "Redis is away"
        document.leave(seat)
        documents.left(document)
        await in_trouble(documents)
        assert len(documents) == 1

        shelf.trouble = None
        shelf.kept.clear()
        clock.advance(2)
        await ends(lambda: not shelf.kept)

        assert shelf.kept["d"].data == OLD


async def test_what_cannot_be_loaded_is_not_open(shelf, clock):
    shelf.trouble = "disk"
    async with running(shelf, clock) as documents:
        with pytest.raises(StoreFailed):
            await documents.open("d")
        assert documents.trouble
        assert len(documents) == 0

        shelf.trouble = None
        assert content(await documents.open("d")) == b"\0\0"


async def test_what_cannot_be_stored_is_not_dropped(shelf, clock):
    async with running(shelf, clock, debounce_s=0) as documents:
        document, seat = await documents.open("d"), Seat()
        document.enter(seat)
        run(document.apply(OLD))
        shelf.trouble = "disk full"
        document.leave(seat)
        documents.left(document)
        await in_trouble(documents)
        assert await documents.open("d") is document
        assert documents.unstored == 1

        shelf.trouble = None
        await documents.flush()
        assert shelf.kept["d"].data == OLD
        assert documents.trouble is None


async def test_what_another_node_has_stored_is_taken_over(shelf, clock):
    async with running(shelf, clock) as documents:
        document, seat = await documents.open("d"), Seat()
        document.enter(seat)
        run(document.apply(OLD))
        shelf.put("d", NEW)
        await documents.flush()

        assert shelf.kept["d"].data == content(document) == merge(OLD, NEW).run()


async def test_what_another_node_has_stored_and_broken_is_not_written_over(shelf, clock):
    async with running(shelf, clock) as documents:
        document, seat = await documents.open("d"), Seat()
        document.enter(seat)
        run(document.apply(OLD))
        shelf.put("d", b"\xff")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await documents.flush()

        assert shelf.kept["d"].data == b"\xff"
        assert "no document" in documents.trouble


async def test_node_that_stores_and_leaves_while_we_load_is_not_overlooked(shelf, clock):
    """Between our reading and our asking: it has nothing to say any more, and we have read the old."""
    shelf.put("d", OLD)
    async with running(shelf, clock) as documents:
        documents.peers = Peers(lambda _: shelf.put("d", merge(OLD, NEW).run()))

        assert content(await documents.open("d")) == merge(OLD, NEW).run()


async def test_what_is_said_while_a_document_is_loaded_is_heard(shelf, clock):
    shelf.put("d", OLD)
    async with running(shelf, clock) as documents:

        def say(document):
            assert documents.find("d") is document
            run(document.apply(MORE, is_ours=False))

        documents.peers = Peers(say)

        assert content(await documents.open("d")) == merge(OLD, MORE).run()


async def test_durable_update_is_accepted_when_it_is_stored(shelf, clock):
    async with running(shelf, clock, is_durable=True) as documents:
        document, seat = await documents.open("d"), Seat()
        document.enter(seat)
        shelf.trouble = "disk full"
        run(document.apply(OLD))
        document.acknowledge(seat)
        await in_trouble(documents)
        assert seat.accepted == 0

        shelf.trouble = None
        await documents.flush()
        assert seat.accepted == 1
        document.acknowledge(seat)  # of what is known
        assert seat.accepted == 2


async def test_those_who_wait_for_a_store_that_fails_are_limited(shelf, clock):
    async with running(shelf, clock, is_durable=True) as documents:
        document, seat = await documents.open("d"), Seat()
        document.enter(seat)
        shelf.trouble = "disk full"
        run(document.apply(OLD))
        for _ in range(10_001):
            document.acknowledge(seat)

        assert seat.reasons == ["Reset Connection"]
        shelf.trouble = None


async def test_open_documents_are_limited(shelf, clock):
    async with running(shelf, clock, max_documents=1) as documents:
        await documents.open("d")
        with pytest.raises(TooManyDocuments):
            await documents.open("e")


async def test_bytes_of_all_open_documents_are_limited(shelf, clock, monkeypatch):
    monkeypatch.setattr("channel_server.collab.documents._SWEEP_S", 0.01)
    async with running(shelf, clock, max_bytes=1_000) as documents:
        document = await documents.open("d")
        document.enter(Seat())
        run(document.apply(text("x" * 1_000)))
        await ends(lambda: not documents._is_full)
        with pytest.raises(TooManyDocuments):
            await documents.open("f")

        assert await documents.open("d") is document


async def test_thousands_are_stored_at_the_end(shelf, clock):
    async with running(shelf, clock) as documents:
        for number in range(3_000):
            document = await documents.open(str(number))
            document.enter(Seat())
            run(document.apply(OLD))
        await documents.flush()

        assert len(shelf.kept) == 3_000


@pytest.mark.parametrize(
    ("known", "is_kept"), [(text("z", client=8), True), (text("x" * 3_000, client=8), False)]
)
async def test_size_is_that_of_the_merged_document(shelf, clock, known, is_kept):
    """A client that returns brings much that is known."""
    async with running(shelf, clock, max_document_bytes=3_000) as documents:
        document = await documents.open("d")
        large = text("y" * 2_000)
        run(document.apply(large))
        verdict = run(document.apply(merge(large, known).run()))

        assert (verdict.name != "TOO_LARGE") is is_kept
