"""Messages that wait for their handler; any sequence: tests/property/test_inbox.py."""

import pytest

from channel_server.engine.inbox import Ending, Inbox


@pytest.fixture
def inbox():
    return Inbox(max_bytes=10)


def test_messages_come_out_in_order(inbox):
    for item in ("a", b"b", Ending("bye")):
        inbox.push(item)

    assert [inbox.pop(), inbox.pop(), inbox.pop()] == ["a", b"b", Ending("bye")]
    assert inbox.pop() is None


def test_message_that_does_not_fit_is_not_added(inbox):
    assert inbox.push("12345678")

    assert not inbox.push("abc")
    assert inbox.push("ab")
    assert [inbox.pop(), inbox.pop(), inbox.pop()] == ["12345678", "ab", None]


def test_handled_message_makes_room(inbox):
    inbox.push("1234567890")
    assert not inbox.push("a")

    inbox.pop()

    assert inbox.push("1234567890")


def test_ending_needs_no_room(inbox):
    inbox.push("1234567890")

    assert inbox.push(Ending("bye"))


def test_number_of_messages_is_bounded_too():
    """An empty message costs memory as well."""
    inbox = Inbox(max_bytes=10)
    for _ in range(10_000):
        assert inbox.push("")

    assert not inbox.push("")
    assert not inbox.push(Ending("bye"))
