"""Who is connected to which namespace."""

from itertools import count

import pytest

from channel_server.live.namespaces import Namespaces


class Server:
    """As much of a Socket.IO server as a manager asks for."""

    class packet_class:  # noqa: N801 - python-socketio's name
        json = None

    def __init__(self):
        numbers = count(1)
        self.eio = self
        self.generate_id = lambda: f"sid{next(numbers)}"


@pytest.fixture
def namespaces():
    namespaces = Namespaces()
    namespaces.set_server(Server())
    return namespaces


def test_client_is_found_in_both_directions(namespaces):
    sid = namespaces.add("e1", "/")

    assert namespaces.sid_from_eio_sid("e1", "/") == sid
    assert namespaces.eio_sid_from_sid(sid, "/") == "e1"
    assert namespaces.is_connected(sid, "/")


def test_client_has_another_id_in_each_namespace(namespaces):
    main, admin = namespaces.add("e1", "/"), namespaces.add("e1", "/admin")

    assert main != admin
    assert not namespaces.is_connected(main, "/admin")
    assert namespaces.get_namespaces() == ["/", "/admin"]


@pytest.mark.parametrize("namespace", ["/", "/unknown"])
def test_stranger_is_not_connected(namespaces, namespace):
    namespaces.add("e1", "/")

    assert not namespaces.is_connected("stranger", namespace)
    assert not namespaces.is_connected(None, namespace)
    assert namespaces.sid_from_eio_sid("stranger", namespace) is None
    assert namespaces.eio_sid_from_sid("stranger", namespace) is None


def test_client_that_leaves_is_found_in_neither_direction(namespaces):
    sid = namespaces.add("e1", "/")
    other = namespaces.add("e2", "/")
    namespaces.callbacks[sid] = {1: None}

    assert namespaces.pre_disconnect(sid, "/") == "e1"
    namespaces.basic_disconnect(sid, "/", ignore_queue=True)

    assert namespaces.sid_from_eio_sid("e1", "/") is None
    assert namespaces.eio_sid_from_sid(sid, "/") is None
    assert namespaces.callbacks == {}
    assert namespaces.is_connected(other, "/")


@pytest.mark.parametrize("namespace", ["/", "/unknown"])
def test_stranger_that_leaves_is_ignored(namespaces, namespace):
    namespaces.add("e1", "/")

    namespaces.basic_disconnect("stranger", namespace)

    assert namespaces.sid_from_eio_sid("e1", "/") is not None


def test_emit_addresses_one_or_all_and_never_a_room(namespaces):
    """A room's name would otherwise be a way around core.rooms."""
    one, two = namespaces.add("e1", "/"), namespaces.add("e2", "/")

    assert list(namespaces.get_participants("/", one)) == [(one, "e1")]
    assert list(namespaces.get_participants("/", None)) == [(one, "e1"), (two, "e2")]
    assert list(namespaces.get_participants("/", "group-7")) == []
    assert list(namespaces.get_participants("/unknown", None)) == []


def test_clients_may_leave_while_all_are_addressed(namespaces):
    for number in range(3):
        namespaces.add(f"e{number}", "/")

    for sid, _ in namespaces.get_participants("/", None):
        namespaces.basic_disconnect(sid, "/")

    assert list(namespaces.get_participants("/", None)) == []


@pytest.mark.parametrize(
    "method", ["basic_enter_room", "basic_leave_room", "basic_close_room", "get_rooms"]
)
def test_rooms_of_python_socketio_are_closed(namespaces, method):
    """Two indexes of rooms would contradict each other some day."""
    with pytest.raises(TypeError, match=r"channel_server\.core\.rooms"):
        getattr(namespaces, method)("sid", "/", "group-7")
