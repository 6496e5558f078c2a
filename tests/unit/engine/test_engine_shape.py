"""What python-socketio expects of what stands below it. Red after an upgrade: read its source.

``Engine`` takes the place of ``engineio.AsyncServer``, ``Namespaces`` that of the manager, and
``SocketServer`` overrides methods that are private to python-socketio.
"""

import ast
import inspect
import textwrap

import engineio
import pytest
import socketio
from socketio.base_manager import BaseManager
from socketio.base_server import BaseServer

from channel_server.engine.options import Options
from channel_server.engine.server import Engine
from channel_server.live.namespaces import Namespaces
from channel_server.live.packet import Packet
from channel_server.live.server import SocketServer

NOT_OFFERED = {
    "attach": "the listener owns the port",
    "create_event": "call() waits for an acknowledgement; nobody calls it",
    "get_session": "no handler keeps a session",
    "handle_request": "Front takes the requests",
    "shutdown": "app.py stops the engine",
    "sleep": "asyncio.sleep",
    "start_background_task": "only with async_handlers, which are off",
}

OVERRIDDEN = {
    socketio.AsyncServer: {
        "_handle_connect": ["self", "eio_sid", "namespace", "data"],
        "_handle_eio_message": ["self", "eio_sid", "data"],
        "_handle_eio_disconnect": ["self", "eio_sid", "reason"],
        "_engineio_server_class": ["self"],
    },
    socketio.AsyncManager: {
        "get_namespaces": ["self"],
        "is_connected": ["self", "sid", "namespace"],
        "sid_from_eio_sid": ["self", "eio_sid", "namespace"],
        "eio_sid_from_sid": ["self", "sid", "namespace"],
        "pre_disconnect": ["self", "sid", "namespace"],
        "basic_disconnect": ["self", "sid", "namespace", "kwargs"],
        "get_participants": ["self", "namespace", "room"],
        "basic_enter_room": ["self", "sid", "namespace", "room", "eio_sid"],
        "basic_leave_room": ["self", "sid", "namespace", "room"],
        "basic_close_room": ["self", "room", "namespace"],
        "get_rooms": ["self", "sid", "namespace"],
    },
    socketio.packet.Packet: {
        "decode": ["self", "encoded_packet"],
        "add_attachment": ["self", "attachment"],
    },
}

INHERITED_AND_CALLED = {
    socketio.AsyncServer: {
        "_handle_disconnect": ["self", "eio_sid", "namespace", "reason"],
        "_handle_event": ["self", "eio_sid", "namespace", "id", "data"],
        "_handle_ack": ["self", "eio_sid", "namespace", "id", "data"],
        "_send_packet": ["self", "eio_sid", "pkt"],
        "_send_eio_packet": ["self", "eio_sid", "eio_pkt"],
        "_trigger_event": ["self", "event", "namespace", "args"],
    },
    socketio.AsyncManager: {
        "disconnect": ["self", "sid", "namespace", "kwargs"],
        "trigger_callback": ["self", "sid", "id", "data"],
        "set_server": ["self", "server"],
    },
}


def methods(table):
    return [(kind, name, list_) for kind, names in table.items() for name, list_ in names.items()]


def inherited(ours, kinds):
    """Source of every method that ``ours`` takes over from ``kinds``; constructors are called."""
    for kind in kinds:
        for name, method in vars(kind).items():
            is_ours = inspect.getattr_static(ours, name) is not method and name != "__init__"
            if inspect.isfunction(method) and not is_ours:
                yield textwrap.dedent(inspect.getsource(method))


def used_on_eio(sources):
    """Names used on ``….eio`` in some sources."""
    names = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Attribute):
                continue
            if isinstance(node.value, ast.Attribute) and node.value.attr == "eio":
                names.add(node.attr)
    return names


def asked_of_the_engine():
    server = inherited(SocketServer, (socketio.AsyncServer, BaseServer))
    manager = inherited(Namespaces, (socketio.AsyncManager, BaseManager))
    return used_on_eio(server) | used_on_eio(manager)


@pytest.fixture
def server():
    return SocketServer(Options())


def test_engine_offers_everything_that_is_asked_of_it():
    offered = {name for name in dir(Engine) if not name.startswith("_")}

    assert asked_of_the_engine() - offered == NOT_OFFERED.keys()


def test_the_search_finds_what_is_known_to_be_used():
    """Else a change of python-socketio's style would turn the test above into an empty one."""
    assert asked_of_the_engine() >= {"on", "async_mode", "send", "send_packet", "transport"}


@pytest.mark.parametrize("name", ["send", "send_packet", "disconnect", "on", "transport"])
def test_what_the_engine_offers_takes_the_arguments_of_the_stock_one(name):
    stock = inspect.signature(getattr(engineio.AsyncServer, name)).parameters
    ours = inspect.signature(getattr(Engine, name)).parameters

    assert list(ours)[:2] == list(stock)[:2]
    assert len(ours) <= len(stock)


@pytest.mark.parametrize(("kind", "name", "parameters"), methods(OVERRIDDEN))
def test_overridden_method_exists_with_the_parameters_it_had(kind, name, parameters):
    assert list(inspect.signature(getattr(kind, name)).parameters) == parameters


@pytest.mark.parametrize(("kind", "name", "parameters"), methods(INHERITED_AND_CALLED))
def test_inherited_method_exists_with_the_parameters_it_had(kind, name, parameters):
    assert list(inspect.signature(getattr(kind, name)).parameters) == parameters


@pytest.mark.parametrize(
    ("ours", "stock"),
    [
        (SocketServer, socketio.AsyncServer),
        (Namespaces, socketio.AsyncManager),
        (Packet, socketio.packet.Packet),
    ],
)
def test_the_list_of_overridden_methods_is_complete(ours, stock):
    """A new one belongs into OVERRIDDEN."""
    overridden = {
        name
        for name, value in vars(ours).items()
        if callable(value) and hasattr(stock, name) and name not in {"__init__", "json"}
    }

    assert overridden - {"__doc__"} == OVERRIDDEN[stock].keys()


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, name, _ in methods(OVERRIDDEN)])
def test_overridden_coroutine_is_still_awaited(kind, name):
    ours = {
        socketio.AsyncServer: SocketServer,
        socketio.AsyncManager: Namespaces,
        socketio.packet.Packet: Packet,
    }[kind]

    assert inspect.iscoroutinefunction(getattr(ours, name)) is inspect.iscoroutinefunction(
        getattr(kind, name)
    )


def test_server_brings_its_own_engine_manager_and_packets(server):
    assert isinstance(server.eio, Engine)
    assert isinstance(server.manager, Namespaces)
    assert server.manager.server is server
    assert server.packet_class is Packet
    assert server.async_handlers is False


def test_messages_and_ends_of_sessions_reach_our_overrides(server):
    assert server.eio._handlers["message"] == server._handle_eio_message
    assert server.eio._handlers["disconnect"] == server._handle_eio_disconnect


def test_private_attributes_that_we_use_are_there(server):
    assert server._binary_packet == {}
    assert server.namespaces == ["/"]
    assert server.manager.callbacks == {}


def test_packet_types_have_the_numbers_of_the_protocol():
    packet = socketio.packet
    kinds = [
        packet.CONNECT,
        packet.DISCONNECT,
        packet.EVENT,
        packet.ACK,
        packet.CONNECT_ERROR,
        packet.BINARY_EVENT,
        packet.BINARY_ACK,
    ]

    assert kinds == list(range(7))


def test_packet_is_decoded_by_its_constructor():
    """``Packet.decode`` is called from there, and returns the number of attachments."""
    parameters = inspect.signature(socketio.packet.Packet.__init__).parameters
    pending = Packet(encoded_packet='51-["a",{"_placeholder":true,"num":0}]')

    assert "encoded_packet" in parameters
    assert pending.attachment_count == 1
    assert pending.attachments == []


def test_emit_asks_only_whether_the_namespace_has_rooms():
    """``Namespaces.rooms`` is not what the stock manager keeps under that name."""
    source = inspect.getsource(socketio.AsyncManager.emit)

    assert source.count("self.rooms") == 1
    assert "if namespace not in self.rooms:" in source
