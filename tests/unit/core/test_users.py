"""Who a token stands for; the rules are section 2 of the contract."""

import pytest

from channel_server.core.users import Identity, is_token, read, rooms_of
from channel_server.errors import MalformedUser

IDS = {
    "1": "1",
    '"1"': "1",
    "0": "0",
    "-1": "-1",
    '"3f2a-b_c.d:e"': "3f2a-b_c.d:e",
    '"%s"' % ("x" * 64): "x" * 64,
}
NOT_IDS = ["true", "1.0", "1e3", "[1]", "{}", "123456789012345678901234", '"a b"', '"é"', '"a,b"']
NOT_IDS += ['"%s"' % ("x" * 65), '"a\\n"', '"1\\n"']


def test_user_and_groups_are_read():
    stored = b'{"name":"Ann Person","group_ids":[3,1,2],"id":123}'

    assert read(stored) == Identity("123", ("3", "1", "2"))


@pytest.mark.parametrize(
    "stored",
    [
        b"{}",
        b'{"id":"","group_ids":[1]}',
        b'{"name":"Ann","group_ids":[1]}',
        b'{"user_id":1,"group_ids":[1]}',
        b'{"name":null,"group_ids":[],"id":null}',
    ],
)
def test_what_names_no_user_is_a_visitor(stored):
    assert read(stored) is None


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"Ann",
        b"{",
        b'{"id":NaN}',
        b'{"id":1,"name":"\xff"}',
        b"null",
        b"1",
        b'"1"',
        b'[{"id":1}]',
        b'{"id":1,"group_ids":' + b"[" * 2_000,
    ],
)
def test_what_is_no_object_is_malformed(stored):
    with pytest.raises(MalformedUser, match="not a JSON object"):
        read(stored)


@pytest.mark.parametrize(("value", "text"), IDS.items())
def test_numbers_and_short_texts_are_ids(value, text):
    """The Node program joined whatever stood there; here each such user was a visitor, in silence."""
    user = read(b'{"id":%s,"group_ids":[%s]}' % (value.encode(), value.encode()))

    assert rooms_of(user) == ("notice", f"user-{text}", f"group-{text}")


@pytest.mark.parametrize("value", NOT_IDS)
def test_another_id_is_malformed_and_not_quoted(value):
    """``true`` is an int in Python; nobody must become user 1 by it."""
    with pytest.raises(
        MalformedUser, match=r"^no user: its id is neither a whole number nor a short text$"
    ):
        read(b'{"id":%s,"group_ids":[1]}' % value.encode())


@pytest.mark.parametrize("value", [*NOT_IDS, "null", '""'])
def test_group_id_that_is_none_is_left_out(value):
    assert read(b'{"id":5,"group_ids":[1,%s,2]}' % value.encode()) == Identity("5", ("1", "2"))


def test_the_number_7_and_the_text_7_are_the_same_group():
    assert read(b'{"id":5,"group_ids":[7,"7"]}') == Identity("5", ("7",))


@pytest.mark.parametrize("groups", ["null", "7", '"7"', '{"7":7}', "true"])
def test_groups_that_are_no_list_count_as_none(groups):
    """The user still gets what is addressed to them."""
    assert read(b'{"id":5,"group_ids":%s}' % groups.encode()) == Identity("5", ())


def test_user_without_groups_is_a_user():
    assert read(b'{"id":5}') == Identity("5", ())


def test_repeated_group_counts_once():
    assert read(b'{"id":5,"group_ids":[2,1,2]}') == Identity("5", ("2", "1"))


def test_ids_up_to_64_bits_are_exact():
    """Postgres bigint: a float would put the user into somebody else's room."""
    assert read(b'{"id":9007199254740993}') == Identity("9007199254740993", ())


def test_name_cut_in_the_middle_of_an_emoji_is_no_reason_to_lose_the_user():
    assert read(rb'{"id":5,"name":"Ann \ud83d","group_ids":[1]}') == Identity("5", ("1",))


def test_user_hears_notices_their_own_room_and_their_groups():
    assert rooms_of(Identity("5", ("3", "1"))) == ("notice", "user-5", "group-3", "group-1")


def test_visitor_hears_notices_only():
    assert rooms_of(None) == ("notice",)


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "pX27zsMN2ViQKta1bGfLmVJE",
        "nullx",
        "x" * 1_024,
    ],
)
def test_tokens_are_taken_as_they_are(text):
    assert is_token(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "undefined",
        "x" * 1_025,
        "x" * 10_240,
        "a\r\nDEL b",
        "a\nb",
        "a\0b",
        "a\tb",
        "\udcff",
    ],
    ids=repr,
)
def test_what_cannot_be_a_token_is_not_looked_up(text):
    """``null`` is what JavaScript makes of a missing one; the rest is somebody trying."""
    assert not is_token(text)
