"""Orders: exactly those that are meant, and nothing that only looks like one."""

import pytest

from channel_server.core import control
from channel_server.core.control import HangUpToken, HangUpUser, SetGroups
from channel_server.errors import MalformedMessage
from publisher import control as orders

DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("command", "order"),
    [
        (orders.hang_up_user(5), HangUpUser("5")),
        (orders.set_groups(5, [3, 1]), SetGroups("5", ("3", "1"))),
        (orders.set_groups(5, []), SetGroups("5", ())),
    ],
    ids=["hang up", "groups", "no groups"],
)
def test_what_the_publisher_writes_is_read(command, order):
    name, channel, payload = command.words

    assert (name, channel) == ("PUBLISH", "/channel_control")
    assert control.read(payload) == order


def test_a_token_is_not_named():
    _, _, payload = orders.hang_up_token("very-secret").words

    assert b"secret" not in payload
    assert isinstance(control.read(payload), HangUpToken)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"hang_up"',
        b"{}",
        b"\xff",
        b"[" * 3000,
        b'{"action":"hang_up"}',
        b'{"action":"hang_up","user_id":"a b"}',
        b'{"action":"hang_up","user_id":""}',
        b'{"action":"hang_up","user_id":true}',
        b'{"action":"hang_up","user_id":1.5}',
        b'{"action":"hang_up","user_id":null}',
        b'{"action":"hang_up","token_sha256":"abc"}',
        b'{"action":"hang_up","token_sha256":7}',
        b'{"action":"set_groups","user_id":5}',
        b'{"action":"set_groups","user_id":5,"group_ids":7}',
        b'{"action":"set_groups","user_id":5,"group_ids":["a b"]}',
        b'{"action":"set_groups","user_id":5,"group_ids":[null]}',
        b'{"action":"set_groups","group_ids":[7]}',
        b'{"action":"drop_everything","user_id":5}',
        b'{"user_id":5}',
    ],
    ids=lambda payload: payload[:60].decode(errors="replace"),
)
def test_what_is_no_order_is_refused_without_being_quoted(payload):
    """A removal that is understood by half would be worse than none."""
    with pytest.raises(MalformedMessage, match="not an order") as caught:
        control.read(payload)

    assert caught.value.size == len(payload)


@pytest.mark.parametrize("user_id", [b"5", b'"5"'])
def test_ids_are_numbers_or_texts(user_id):
    assert control.read(b'{"action":"hang_up","user_id":%s}' % user_id) == HangUpUser("5")


def test_unknown_keys_are_ignored():
    """A newer publisher may say more."""
    assert control.read(b'{"action":"hang_up","user_id":5,"why":"x"}') == HangUpUser("5")


def test_a_group_counts_once():
    order = control.read(b'{"action":"set_groups","user_id":5,"group_ids":[2,2,1]}')

    assert order == SetGroups("5", ("2", "1"))


def test_a_digest_is_kept_as_it_is():
    payload = b'{"action":"hang_up","token_sha256":"%b"}' % DIGEST.encode()

    assert control.read(payload) == HangUpToken(DIGEST)
