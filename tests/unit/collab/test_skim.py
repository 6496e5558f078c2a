"""What is let through to yrs on the event loop. With any bytes: tests/property/test_skim.py."""

import pycrdt
import pytest

from channel_server.collab.lib0 import string, uint
from channel_server.collab.skim import Look, is_broken_state, look_at_update

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
    numbers["number"] = 1.5
    numbers["bytes"] = b"abc"
    document.get("array", type=pycrdt.Array).append("x")
    document.unobserve(subscription)

    assert len(updates) == 8
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


@pytest.mark.parametrize(
    "rare",
    [
        item(8, b"\x01\x76" + MANY),
        item(8, b"\x01" + b"\x75\x01" * 100_000 + b"\x7e"),
        item(9, string("guid") + b"\x76" + MANY),
        item(31, b""),
        b"\x01" + uint(1_000) + b"\x05\0" + b"\0\x01" * 1_000 + b"\0",
    ],
    ids=["map", "nested", "document", "unknown", "long"],
)
def test_what_is_rare_or_long_is_for_the_sandbox(rare):
    assert look_at_update(rare) is Look.UNSURE


@pytest.mark.parametrize("update", [b"", b"\x01", b"\xff" * 20, HEAD])
def test_what_ends_too_early_is_broken(update):
    assert look_at_update(update) is Look.BROKEN


@pytest.mark.parametrize(
    ("state", "is_broken"),
    [(b"\0", False), (b"\x01\x05\x07", False), (b"", True), (b"\x02\x05\x07", True), (MANY, True)],
)
def test_state_vector_has_the_entries_that_it_announces(state, is_broken):
    assert is_broken_state(state) is is_broken
