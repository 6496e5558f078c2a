"""What one client does costs bounded memory and time, and nobody else."""

import asyncio

import psutil
import pycrdt
import pytest
import pytest_asyncio
from websockets.exceptions import ConnectionClosed, InvalidStatus

from channel_server.collab.lib0 import buffer, string, uint
from channel_server.collab.messages import Kind, Sync
from tests.collab.client import GOOD, connected, heard, join, step_1, text, token, update
from tests.collab.servers import Application, Ours
from tests.integration.program import until

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]

MIB = 1024 * 1024
BOMB = b"\x01\x01\x05\0\x08\x01\x01t\x01\x76" + uint(2**27) + b"\0"
AWARENESS_BOMB = uint(100_000) + b"\x01\x01\x04null" * 100_000
NESTED = b"\x01\x01\x05\0\x08\x01\x01t\x01" + b"\x75\x01" * 200_000 + b"\x7e\0"


@pytest.fixture(scope="module")
def small(application, tmp_path_factory):
    """A server with low limits."""
    settings = {
        "COLLAB_MAX_DOCUMENT_MIB": "1",
        "COLLAB_MAX_DOCUMENTS": "30",
        "WRITE_LIMIT_KIB": "64",
        "WRITE_SECONDS": "1",
        "MAX_PACKETS_PER_SECOND": "5000",
    }
    with Ours(tmp_path_factory.mktemp("small"), application, **settings) as small:
        yield small


@pytest_asyncio.fixture
async def ann(small):
    async with connected(small.url) as ann:
        yield ann


async def closed(connection):
    """Wait for the end of a connection. Return its code and reason."""
    with pytest.raises(ConnectionClosed):
        await _hear_for_ever(connection)
    return connection.close_code, connection.close_reason


async def _hear_for_ever(connection):
    while True:
        await connection.recv()


async def _say_for_ever(connection):
    while True:
        await connection.send(string("d") + bytes([Kind.QUERY_AWARENESS]))


async def works(server):
    """Somebody else can work meanwhile."""
    async with connected(server.url) as other:
        await join(other, "of somebody else")


async def test_documents_that_wait_for_a_token_are_limited(ann):
    for number in range(101):
        await ann.send(step_1(f"d{number}"))

    assert await closed(ann) == (4205, "Reset Connection")


async def test_messages_that_wait_for_a_token_are_limited(ann):
    for _ in range(1_001):
        await ann.send(step_1("d"))

    assert await closed(ann) == (4205, "Reset Connection")


async def test_bytes_that_wait_for_a_token_are_limited(ann):
    for _ in range(6):
        await ann.send(update("d", b"x" * (MIB - 100)))

    assert await closed(ann) == (4205, "Reset Connection")


@pytest.mark.parametrize(
    "first", [token("n" * 20_000), token("d", "t" * 20_000)], ids=["name", "token"]
)
async def test_names_and_tokens_are_limited(ann, first):
    await ann.send(first)

    assert await closed(ann) == (4205, "Reset Connection")


@pytest.mark.parametrize(
    "pieces",
    [1, 8],
    ids=["one frame", "fragments"],
)
async def test_message_that_is_too_large_is_read_past(small, ann, pieces):
    """It ended the connection, and the client sent it again with the next one, for ever."""
    name = f"paste in {pieces}"
    await join(ann, name)
    await join(ann, "beside")
    process = psutil.Process(small.program.process.pid)
    before = process.memory_info().rss
    paste = update(name, b"x" * (90 * MIB))
    size = -(-len(paste) // pieces)
    fragments = [paste[start : start + size] for start in range(0, len(paste), size)]

    await ann.send(fragments if pieces > 1 else paste)

    assert (await heard(ann, Kind.CLOSE, name)).string() == "Document Too Large"
    for _ in range(1_100):
        await ann.send(update(name, text("goes on as if nothing had been")))
    await ann.send(update("beside", text("is alive")))
    assert (await heard(ann, Kind.SYNC_STATUS)).uint() == 1
    assert process.memory_info().rss < before + 20 * MIB


async def test_client_that_was_refused_may_come_again_on_its_socket(ann):
    await join(ann, "again")
    await ann.send(update("again", b"x" * (2 * MIB)))
    await heard(ann, Kind.CLOSE)

    await join(ann, "again")
    await ann.send(update("again", text("less")))

    assert (await heard(ann, Kind.SYNC_STATUS)).uint() == 1


async def test_reader_is_not_turned_out_for_what_is_too_large(ann):
    await join(ann, "read", "1,readonly")
    await ann.send(update("read", b"x" * (2 * MIB)))

    assert (await heard(ann, Kind.SYNC_STATUS)).uint() == 0


async def test_fragments_without_end_are_refused(small, ann):
    """They were counted nowhere: empty ones kept the server busy for as long as they came."""
    await join(ann, "endless")
    paste = update("endless", b"x" * (2 * MIB))
    ann.transport.write(b"\x02\xff" + len(paste).to_bytes(8) + bytes(4) + paste)
    ann.transport.write(b"\x00\x80mask" * 10_000)

    code, _ = await closed(ann)
    assert code == 1009
    await works(small)


async def test_seat_that_is_left_while_it_works_leaves_no_other(small):
    """What was too large for it was told to the next one at the same document."""
    async with connected(small.url) as ann:
        await join(ann, "left")
        await ann.send(update("left", text(b"x" * (900 * 1024), client=1)))
        assert (await heard(ann, Kind.SYNC_STATUS)).uint() == 1
        await ann.send(update("left", text(b"y" * (800 * 1024), client=2)))
        for _ in range(1_001):
            await ann.send(update("left", text("z", client=3)))
        await heard(ann, Kind.CLOSE)
        await join(ann, "left")
        await ann.send(update("left", text("w", client=4)))

        assert (await heard(ann, Kind.SYNC_STATUS)).uint() == 1


async def test_message_too_large_before_the_token_is_answered_after_it(ann):
    await ann.send(update("early", b"x" * (2 * MIB)))
    await ann.send(token("early"))

    assert (await heard(ann, Kind.CLOSE)).string() == "Document Too Large"


@pytest.mark.parametrize("kind", [Kind.AUTH, Kind.AWARENESS])
async def test_nothing_but_content_may_be_too_large(ann, kind):
    await ann.send(string("d") + bytes([kind]) + b"x" * (2 * MIB))

    assert await closed(ann) == (4205, "Reset Connection")


async def test_message_that_is_much_too_large_is_refused(ann):
    await join(ann, "much")
    ann.transport.write(b"\x82\xff" + (101 * MIB).to_bytes(8) + b"mask")

    code, _ = await closed(ann)
    assert code == 1009


async def test_fragments_are_joined(ann):
    await ann.send([token("fragments")[:3], token("fragments")[3:]])

    await heard(ann, Kind.AUTH)


async def test_text_that_is_none_is_refused(ann):
    ann.transport.write(b"\x81\x82\0\0\0\0\xff\xff")

    code, _ = await closed(ann)
    assert code == 1007


async def test_document_does_not_grow_beyond_its_limit(small, ann):
    await join(ann, "large")
    async with connected(small.url) as ben:
        await join(ben, "large")
        for client in range(3):
            await ann.send(update("large", text(b"x" * (400 * 1024), client=client + 1)))

        assert (await heard(ann, Kind.CLOSE)).string() == "Document Too Large"
        await ben.send(step_1("large"))
        while (reader := await heard(ben, Kind.SYNC)).uint() != Sync.STEP_2:
            pass
        assert len(reader.buffer()) < MIB


async def test_open_documents_are_limited(application, tmp_path):
    with Ours(tmp_path, application, COLLAB_MAX_DOCUMENTS="2") as ours:
        async with connected(ours.url) as ann:
            await join(ann, "one")
            await join(ann, "two")
            await ann.send(token("three"))
            while (await heard(ann, Kind.AUTH, "three")).uint() != 1:
                pass
            await ann.send(string("one") + bytes([Kind.CLOSE]))
            await heard(ann, Kind.CLOSE)
            await join(ann, "three")


async def test_update_bombs_cost_nobody_anything(small, ann):
    await join(ann, "bombs")
    process = psutil.Process(small.program.process.pid)
    before = process.memory_info().rss
    for _ in range(20):
        await ann.send(update("bombs", BOMB))
    await works(small)
    for _ in range(20):
        assert (await heard(ann, Kind.SYNC_STATUS)).uint() == 1
    await ann.send(update("bombs", NESTED))
    await ann.send(string("bombs") + b"\x01" + buffer(AWARENESS_BOMB))
    assert (await heard(ann, Kind.SYNC_STATUS)).uint() == 1
    assert (await heard(ann, Kind.CLOSE)).string() == "Reset Connection"
    await works(small)
    assert process.memory_info().rss < before + 20 * MIB


def typed(count):
    """An update with so many structs: what was typed, each letter before the last one."""
    document = pycrdt.Doc(client_id=9)
    content = document.get("t", type=pycrdt.Text)
    for _ in range(count):
        content.insert(0, "x")
    return document.get_update()


async def test_what_was_said_before_the_connection_ended_is_kept(small):
    """Long updates take their time in the sandbox; nobody waits at a tab that was closed."""
    long = typed(300)
    async with connected(small.url) as ann:
        await join(ann, "closed at once")
        await ann.send(update("closed at once", long))
        await ann.send(update("closed at once", text("and this")))
    async with connected(small.url) as ben:
        await ben.send(token("closed at once"))
        kept = b""
        while b"and this" not in kept or len(kept) < len(long):
            await ben.send(step_1("closed at once"))
            while (reader := await heard(ben, Kind.SYNC)).uint() != Sync.STEP_2:
                pass
            kept = reader.buffer()


async def test_client_that_does_not_read_is_hung_up(small, ann):
    async with connected(small.url) as slow, connected(small.url) as ben:
        await join(ann, "slow")
        await join(ben, "slow")
        await join(slow, "slow")
        slow.transport.pause_reading()
        for client in range(1, 90):
            await ann.send(string("slow") + b"\x06" + string("x" * (200 * 1024)))
            for reader in (ann, ben):
                assert len((await heard(reader, Kind.STATELESS)).string()) == 200 * 1024
            if client % 30 == 0:
                await works(small)
        slow.transport.resume_reading()
        with pytest.raises(ConnectionClosed):
            await _hear_for_ever(slow)
        await works(small)


async def test_client_that_says_too_much_is_hung_up(application, tmp_path):
    with Ours(tmp_path, application, MAX_PACKETS_PER_SECOND="100") as ours:
        async with connected(ours.url) as ann:
            await join(ann, "d")
            with pytest.raises(ConnectionClosed):
                await _say_for_ever(ann)
        await works(ours)


@pytest.mark.slow
async def test_memory_of_documents_that_are_closed_comes_back(tmp_path):
    with (
        Application() as application,
        Ours(tmp_path, application, MAX_PACKETS_PER_SECOND="1000000") as ours,
    ):
        process = psutil.Process(ours.program.process.pid)

        async def some(many):
            async with connected(ours.url) as ann:
                for start in range(0, many, 50):
                    names = [f"document-{start + number}" for number in range(50)]
                    await asyncio.gather(*(ann.send(token(name)) for name in names))
                    for name in names:
                        await ann.send(step_1(name))
                        await ann.send(update(name, text("a paragraph of a draft " * 20)))
                        await ann.send(string(name) + bytes([Kind.CLOSE]))
                    for _ in names:
                        await heard(ann, Kind.CLOSE)

        await some(2_000)
        before = process.memory_info().rss
        await some(10_000)
        await until(lambda: process.memory_info().rss < before * 1.1, "the memory is back")


async def test_secrets_are_in_no_log(tmp_path):
    secret = "s3cr3t"
    with Application() as application, Ours(tmp_path, application) as ours:
        async with connected(f"{ours.url}/{secret}?token={secret}") as ann:
            for name, token_ in ((f"comment-{secret}", f"1,{secret}"), (f"d-{secret}", GOOD)):
                await ann.send(token(name, token_))
                await heard(ann, Kind.AUTH)
            await ann.send(update(f"d-{secret}", text(secret)))
            await ann.send(update(f"d-{secret}", b"\xff" + secret.encode()))
            await ann.send(b"\x7f" + secret.encode())
            await closed(ann)
        application.answer = lambda *_: (500, {secret: secret})
        async with connected(ours.url) as ann:
            await ann.send(token(secret, secret))
            await heard(ann, Kind.AUTH)
        ours.stop()

        assert "does not say who may open documents" in ours.program.output()
        assert secret not in ours.program.output()


async def test_browsers_on_other_pages_are_refused_if_that_is_asked_for(application, tmp_path):
    settings = {"ORIGIN_CHECK": "1", "PUBLIC_APP_URL": "https://loomio.example.org"}
    with Ours(tmp_path, application, **settings) as ours:
        async with connected(ours.url, origin="https://loomio.example.org") as ann:
            await join(ann, "d")
        with pytest.raises(InvalidStatus, match="403"):
            async with connected(ours.url, origin="https://evil.example"):
                pass


async def test_requests_that_are_none_for_a_websocket(small):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(small.url.rpartition(":")[2]))
    for request, status in (
        (b"GET /any/path HTTP/1.1\r\nHost: x\r\n\r\n", b"200 OK"),
        (b"POST /any HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", b"200 OK"),
        (b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n", b"200 OK"),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            b"400 Bad Request",
        ),
    ):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 " + status)
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(size)
    writer.close()
