"""Socket.IO v5: python-socketio where it is right, corrected where not."""

import asyncio

import orjson
import pytest

from channel_server.engine.options import Options
from channel_server.errors import MalformedPacket
from channel_server.live.server import SocketServer
from tests.unit.live.clients import Client

pytestmark = pytest.mark.asyncio


@pytest.fixture
def server():
    return SocketServer(Options(), namespaces=("/", "/admin"))


@pytest.fixture
def client(server):
    return Client(server)


def on(server, event, namespace="/"):
    """Record the calls of a handler."""
    calls = []

    async def handler(*arguments):
        calls.append(arguments[1:])
        return arguments[1:]

    server.on(event, handler, namespace=namespace)
    return calls


# ── CONNECT ─────────────────────────────────────────────────────────────────────────────────


async def test_client_connects_and_is_told_its_id(server, client):
    answer = await client.connect()

    assert answer[:1] == "0"
    sid = orjson.loads(answer[1:])["sid"]
    assert server.manager.is_connected(sid, "/")
    assert sid != "e1", "the session's own id is a secret of the transport"


async def test_namespace_stands_in_the_answer(client):
    assert (await client.connect('0/admin,{"token":"x"}')).startswith('0/admin,{"sid":')


async def test_unknown_namespace_gets_the_error_of_the_protocol(server, client):
    """python-socketio answers with a text; the stock client expects an object."""
    assert await client.connect("0/x,") == '4/x,{"message":"Invalid namespace"}'
    assert client.is_open
    assert server.manager.get_namespaces() == []


async def test_connecting_twice_is_forbidden(client):
    await client.connect()

    with pytest.raises(MalformedPacket):
        await client.send("0")


async def test_asking_for_a_namespace_confirms_the_session(server, client):
    assert client.session in server.engine._unconfirmed

    await client.connect()

    assert client.session not in server.engine._unconfirmed


async def test_asking_for_an_unknown_namespace_confirms_nothing(server, client):
    await client.connect("0/x,")

    assert client.session in server.engine._unconfirmed


async def test_session_that_is_gone_is_not_connected(server):
    await server._handle_connect("gone", "/", None)

    assert server.manager.get_namespaces() == []


async def test_session_that_closes_while_it_is_admitted_is_not_connected():
    """Nobody would ever disconnect it again."""

    class Slow(SocketServer):
        async def admit(self, session, _auth):
            session.close("transport close")

    server = Slow(Options())

    await Client(server).send("0")

    assert server.manager.get_namespaces() == []


async def test_what_admit_finds_out_is_what_welcome_gets():
    seen = []

    class Curious(SocketServer):
        async def admit(self, session, _auth):
            return f"owner of {session.sid}"

        def welcome(self, session, sid, *rest):
            del session, sid
            seen.append(rest)

    await Client(Curious(Options())).send('0{"pid":"p"}')

    assert seen == [("/", {"pid": "p"}, "owner of e1")]


# ── events ──────────────────────────────────────────────────────────────────────────────────


async def test_event_reaches_its_handler(server, client):
    calls = on(server, "hello")
    await client.connect()

    await client.send('2["hello",1,{"a":[]}]')

    assert calls == [(1, {"a": []})]
    assert client.received() == []


async def test_event_with_a_number_is_acknowledged(server, client):
    on(server, "hello")
    await client.connect()

    await client.send('27["hello",1,"b"]')

    assert client.received() == ['37[1,"b"]']


async def test_event_without_a_handler_is_ignored(client):
    """Loomio's client sends none; whoever does shall not be told why."""
    await client.connect()

    await client.send('27["hello"]')
    await client.send("2[7]")

    assert client.received() == []
    assert client.is_open


async def test_event_of_a_namespace_stays_in_it(server, client):
    main, admin = on(server, "hello"), on(server, "hello", "/admin")
    await client.connect()
    await client.connect("0/admin,")

    await client.send('2/admin,["hello"]')

    assert (main, admin) == ([], [()])


@pytest.mark.parametrize("packet", ['2["hello"]', "1", "31[]", '2/admin,["hello"]', "1/admin,"])
async def test_nothing_is_accepted_before_connect(server, client, packet):
    calls = on(server, "hello")

    with pytest.raises(MalformedPacket):
        await client.send(packet)

    assert calls == []


@pytest.mark.parametrize("packet", ["", "4", '4{"message":"x"}', "9", b"\x00", '2["connect"]'])
async def test_what_a_client_may_not_send_is_refused(client, packet):
    await client.connect()

    with pytest.raises(MalformedPacket):
        await client.send(packet)


async def test_acknowledgement_reaches_who_asked_for_it(server, client):
    sid = orjson.loads((await client.connect())[1:])["sid"]
    answered = []
    await server.emit("question", 1, to=sid, callback=lambda *data: answered.append(data))
    (question,) = client.received()
    assert question == '21["question",1]'

    await client.send('31["yes"]')

    assert answered == [("yes",)]


async def test_acknowledgement_that_nobody_asked_for_is_ignored(client):
    await client.connect()

    await client.send("399[]")

    assert client.is_open


async def test_emit_reaches_every_client_of_the_namespace(server, client):
    other = Client(server, "e2")
    stranger = Client(server, "e3")
    await client.connect()
    await other.connect()

    await server.emit("news", {"a": 1})

    assert client.received() == other.received() == ['2["news",{"a":1}]']
    assert stranger.received() == []


# ── attachments ─────────────────────────────────────────────────────────────────────────────

BINARY = '52-["hello",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'


async def test_event_waits_for_its_attachments(server, client):
    calls = on(server, "hello")
    await client.connect()

    await client.send(BINARY)
    await client.send(b"one")
    assert calls == []
    await client.send(b"two")

    assert calls == [(b"one", b"two")]


async def test_event_after_attachments_is_an_event_again(server, client):
    calls = on(server, "hello")
    await client.connect()
    for data in (BINARY, b"one", b"two", '2["hello"]'):
        await client.send(data)

    assert calls == [(b"one", b"two"), ()]


async def test_text_between_attachments_is_refused(client):
    await client.connect()
    await client.send(BINARY)

    with pytest.raises(MalformedPacket):
        await client.send('2["hello"]')


async def test_server_without_binary_refuses_attachments(server):
    """In production nobody needs them, and each would wait in memory."""
    server = SocketServer(Options(), allow_binary=False)
    client = Client(server)
    await client.connect()

    with pytest.raises(MalformedPacket):
        await client.send(BINARY)


async def test_client_that_leaves_takes_its_half_of_an_event_along(server, client):
    await client.connect()
    await client.send(BINARY)

    await server._handle_eio_disconnect("e1", "transport close")

    assert server._binary_packet == {}


# ── the end ─────────────────────────────────────────────────────────────────────────────────


async def test_client_may_leave_one_namespace_and_stay_in_the_other(server, client):
    reasons = on(server, "disconnect")
    await client.connect()
    await client.connect("0/admin,")

    await client.send("1")

    assert reasons == [("client disconnect",)]
    assert server.manager.sid_from_eio_sid("e1", "/") is None
    assert server.manager.sid_from_eio_sid("e1", "/admin") is not None
    assert client.is_open


async def test_client_that_left_may_connect_again(client):
    await client.connect()
    await client.send("1")

    assert (await client.connect())[:1] == "0"


async def test_end_of_the_session_disconnects_every_namespace(server, client):
    main, admin = on(server, "disconnect"), on(server, "disconnect", "/admin")
    await client.connect()
    await client.connect("0/admin,")

    await server._handle_eio_disconnect("e1", "transport close")

    assert main == admin == [("transport close",)]
    assert server.manager.sid_from_eio_sid("e1", "/") is None
    assert server.manager.sid_from_eio_sid("e1", "/admin") is None


async def test_end_of_a_session_that_never_connected_is_told_to_nobody(server, client):
    reasons = on(server, "disconnect")
    other = Client(server, "e2")
    await other.connect()

    await server._handle_eio_disconnect(client.session.sid, "transport close")

    assert reasons == []


async def test_server_runs_on_its_engine(server, client):
    """From bytes of a poll to the handler and back, by the engine's own worker."""
    calls = on(server, "hello")
    ended = asyncio.Event()
    server.on("disconnect", lambda *_: ended.set())
    engine = asyncio.get_running_loop().create_task(server.engine.run())
    await asyncio.sleep(0)

    for data in ("0", '2["hello",1]', '2["hello"'):
        server.engine.receive(client.session, data)
    await ended.wait()

    assert calls == [(1,)]
    assert server.engine.hang_ups == {"parse error": 1}
    engine.cancel()
    await asyncio.wait({engine})
