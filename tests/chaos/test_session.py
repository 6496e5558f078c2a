"""The driver must remember what the stock client remembers, no more: it is what recovery is for."""

import orjson
import pytest

from tests.chaos.session import Session


@pytest.fixture
def session():
    return Session()


def auth(session):
    return orjson.loads(session.connect_packet()[2:] or "null")


def test_first_connect_asks_for_nothing(session):
    assert session.connect_packet() == "40"


def test_a_pid_without_an_offset_is_sent_alone(session):
    """A client that has received nothing yet; JSON has no ``undefined``."""
    assert session.resume("p1") is False

    assert auth(session) == {"pid": "p1"}


def test_any_event_that_ends_with_a_string_moves_the_offset(session):
    session.resume("p1")

    assert session.take(["offset", "a:1-0"])
    assert session.take(["records", {}, "a:2-0"])

    assert auth(session) == {"pid": "p1", "offset": "a:2-0"}


def test_even_an_event_that_is_only_a_name_moves_it(session):
    """The client looks at all arguments, and the name is the first of them."""
    session.resume("p1")

    assert session.take(["hello"])

    assert session.offset == "hello"


def test_an_event_that_ends_with_an_object_does_not(session):
    session.resume("p1")

    assert not session.take(["records", {}])

    assert auth(session) == {"pid": "p1"}


def test_without_a_pid_no_offset_is_kept(session):
    """A server without recovery."""
    session.resume(None)

    assert not session.take(["records", {}, "a:1-0"])

    assert session.connect_packet() == "40"


def test_recovered_means_that_the_same_pid_came_back(session):
    session.resume("p1")

    assert session.resume("p1") is True
    assert session.resume("p2") is False
    assert session.resume(None) is False


def test_a_new_pid_leaves_the_offset_alone(session):
    session.resume("p1")
    session.take(["records", {}, "a:1-0"])

    session.resume("p2")

    assert auth(session) == {"pid": "p2", "offset": "a:1-0"}
