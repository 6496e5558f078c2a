"""What is let through to yrs on the event loop. With any bytes: tests/property/test_skim.py."""

import pycrdt
import pytest

from channel_server.collab.lib0 import string, uint
from channel_server.collab.skim import Look, is_broken_state, look_at_update, parse_update
from channel_server.errors import MalformedFrame

HEAD = b"\x01\x01" + uint(5) + b"\0"  # one client with one struct, from clock 0
MANY = uint(2**27)


def item(content, body):
    """An update with one item in the type "t"."""
    return HEAD + bytes([content]) + b"\x01" + string("t") + body + b"\0"


def test_edits_of_people_are_harmless():
    document = pycrdt.Doc()
    updates = []
    subscription = document.observe(lambda event: updates.append(event.update))
    text = document.get("text", type=pycrdt.Text)
    text += "hello"
    text.insert(2, "é")
    text.format(0, 3, {"bold": True})
    del text[1:3]
    numbers = document.get("config", type=pycrdt.Map)
    numbers["flag"] = True
    numbers["nested"] = {"list": [1, -5, 2**40, None, "é", {"deep": b"x"}]}
    numbers["number"] = 1.5
    numbers["bytes"] = b"abc"
    document.get("array", type=pycrdt.Array).append("x")
    document.unobserve(subscription)

    assert len(updates) == 9
    assert {look_at_update(update) for update in updates} == {Look.HARMLESS}


@pytest.mark.parametrize(
    "bomb",
    [
        MANY + b"\0",
        b"\x01" + MANY + b"\x05\0\0\x01",
        item(2, MANY),
        item(8, MANY),
        b"\0" + MANY,
        b"\0\x01\x05" + MANY,
        item(4, uint(2**53 - 1)),
    ],
    ids=["clients", "structs", "texts", "values", "deletions", "ranges", "text"],
)
def test_more_announced_than_there_is_is_broken(bomb):
    assert look_at_update(bomb) is Look.BROKEN


def item_of(client, clock, info, rest):
    """An update with one item of a client, at a clock."""
    return b"\x01\x01" + uint(client) + uint(clock) + bytes([info]) + rest + b"\0"


@pytest.mark.parametrize(
    "poison",
    [
        item(8, b"\x01\x76" + MANY),
        item(8, b"\x01" + b"\x75\x01" * 200 + b"\x7e"),
        item(9, string("guid") + b"\x76" + MANY),
        item(9, string("guid") + b"\x7e"),
        item(31, b""),
        item(7, b"\x05" + string("hook")),
        item(7, b"\x09"),
        item(5, string("{")),
        item(6, string("bold") + string("NaN")),
        item(2, b"\x01" + string("{")),
        item(4, string("")),
        item(8, b"\0"),
        item(8, b"\x01\x80"),
        item(4, b"\x02\xff\xfe"),
        item_of(5, 7, 0x84, b"\x05\x07" + string("x")),
        item_of(5, 7, 0x44, b"\x05\x09" + string("x")),
        item_of(5, 7, 0x04, b"\0\x05\x07" + string("x")),
        item_of(5, 2**31, 0x04, b"\x01" + string("t") + string("x")),
        item_of(5, 0, 0x8A, b"\x01"),
        item(4, string("x")) + b"\0",
        b"\0\x01\x05\x01\x07\0",
    ],
    ids=[
        "map that announces too much",
        "nested too deeply",
        "options that announce too much",
        "options that are no object",
        "unknown content",
        "XML hook",
        "unknown type",
        "embed that is not JSON",
        "format that is not JSON",
        "values that are not JSON",
        "empty text",
        "no values",
        "unknown value",
        "text that is not UTF-8",
        "beside itself",
        "before what comes later",
        "in itself",
        "clock too large",
        "gap with a place",
        "something after it",
        "nothing deleted",
    ],
)
def test_what_yjs_would_not_write_is_broken(poison):
    """yrs takes some of it, and yjs throws on it: nobody could open the document again."""
    assert look_at_update(poison) is Look.BROKEN
    with pytest.raises(MalformedFrame):
        parse_update(poison)


def test_bytes_that_yrs_and_yjs_read_differently_are_broken():
    """To yjs, and to us, they are the name of an XML hook; yrs would decode what is hidden there."""
    hidden = b"\x88" + b"\x75\x01" * 60
    update = (
        b"\x01\x01" + uint(5) + b"\0\x07\x01\x01t\x05" + string(hidden.decode("latin1")) + b"\0"
    )

    assert look_at_update(update) is Look.BROKEN


def test_long_update_is_for_the_sandbox():
    long = b"\x01" + uint(1_000) + b"\x05\0" + b"\0\x01" * 1_000 + b"\0"

    assert look_at_update(long) is Look.UNSURE
    parse_update(long)


@pytest.mark.parametrize("update", [b"", b"\x01", b"\xff" * 20, HEAD])
def test_what_ends_too_early_is_broken(update):
    assert look_at_update(update) is Look.BROKEN


@pytest.mark.parametrize(
    ("state", "is_broken"),
    [(b"\0", False), (b"\x01\x05\x07", False), (b"", True), (b"\x02\x05\x07", True), (MANY, True)],
)
def test_state_vector_has_the_entries_that_it_announces(state, is_broken):
    assert is_broken_state(state) is is_broken
