"""A look at an update before yrs decodes it: is it certain to do no harm?

yrs reserves memory for as many entries as an update says it has: four bytes make it spend half a
second and 256 MiB. And it follows nested values as deep as they go: 400 KB of brackets overflow its
stack, which ends the process. So what a client sends is skimmed first. An update of a few
keystrokes takes 10 µs; what is long, or rare, is not decided here but left to the sandbox.

Source: yjs 13.6, the version 1 encoding of updates.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from channel_server.collab.lib0 import Reader
from channel_server.errors import MalformedFrame

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_STRUCTS: Final = 200
"""More than a person's hands do in a moment, and half a millisecond to look at."""

_ORIGIN: Final = 0x80
_RIGHT_ORIGIN: Final = 0x40
_PARENT_KEY: Final = 0x20
_CONTENT: Final = 0x1F

_NAMED_TYPES: Final = frozenset({3, 5})  # an XML element, an XML hook


class Look(enum.Enum):
    """What a look at an update tells."""

    HARMLESS = enum.auto()
    """yrs can decode it at little cost, or find out that it cannot."""
    BROKEN = enum.auto()
    """It ends before it has what it announces."""
    UNSURE = enum.auto()
    """It is long, or has something rare in it."""


class _NotSureError(Exception):
    """What comes next is not looked at."""


def look_at_update(update: bytes) -> Look:
    """Skim an update."""
    reader = Reader(update)
    try:
        _skim(reader)
    except MalformedFrame:
        return Look.BROKEN
    except _NotSureError:
        return Look.UNSURE
    return Look.HARMLESS


def is_broken_state(state: bytes) -> bool:
    """Tell whether a state vector has fewer entries than it announces."""
    try:
        return 2 * Reader(state).uint() > len(state)
    except MalformedFrame:
        return True


def _skim(reader: Reader) -> None:
    structs = 0
    for _ in range(_count(reader)):
        count = _count(reader)
        structs += count
        if structs > _MAX_STRUCTS:
            raise _NotSureError
        reader.uint()  # the client
        reader.uint()  # its clock
        for _ in range(count):
            _skim_struct(reader)
    for _ in range(_count(reader)):
        reader.uint()  # the client whose structs are deleted
        for _ in range(_count(reader)):
            _skim_id(reader)  # a clock, and how many from there


def _count(reader: Reader) -> int:
    """How many entries follow, each of at least one byte."""
    count = reader.uint()
    if count > reader.left:
        raise MalformedFrame("fewer than announced")
    if count > _MAX_STRUCTS:
        raise _NotSureError
    return count


def _skim_struct(reader: Reader) -> None:
    info = reader.byte()
    content = info & _CONTENT
    skim = _CONTENTS.get(content)
    if skim is None:
        raise _NotSureError
    if content not in _BARE:
        _skim_place(reader, info)
    skim(reader)


def _skim_place(reader: Reader, info: int) -> None:
    """Between which two, or in what, a struct is."""
    if info & _ORIGIN:
        _skim_id(reader)
    if info & _RIGHT_ORIGIN:
        _skim_id(reader)
    if info & (_ORIGIN | _RIGHT_ORIGIN):
        return
    if reader.uint() == 1:
        reader.buffer()
    else:
        _skim_id(reader)
    if info & _PARENT_KEY:
        reader.buffer()


def _skim_id(reader: Reader) -> None:
    reader.uint()
    reader.uint()


def _skim_texts(reader: Reader) -> None:
    for _ in range(_count(reader)):
        reader.buffer()


def _skim_format(reader: Reader) -> None:
    reader.buffer()
    reader.buffer()


def _skim_type(reader: Reader) -> None:
    if reader.uint() in _NAMED_TYPES:
        reader.buffer()


def _skim_values(reader: Reader) -> None:
    """Plain values only: nested ones are rare."""
    for _ in range(_count(reader)):
        kind = reader.byte()
        if kind in _PLAIN:
            reader.skip(_PLAIN[kind])
        elif kind in _WITH_LENGTH:
            reader.buffer()
        elif kind == _INTEGER:
            reader.uint()
        else:
            raise _NotSureError


_INTEGER: Final = 125
_PLAIN: Final = {127: 0, 126: 0, 124: 4, 123: 8, 122: 8, 121: 0, 120: 0}
"""Size of undefined, null, float, double, bigint, false, true."""
_WITH_LENGTH: Final = frozenset({119, 116})  # text, bytes

_BARE: Final = frozenset({0, 10})
"""Structs without a place: collected garbage, and gaps."""

_CONTENTS: Final[dict[int, Callable[[Reader], object]]] = {
    0: Reader.uint,
    1: Reader.uint,
    2: _skim_texts,
    3: Reader.buffer,
    4: Reader.buffer,
    5: Reader.buffer,
    6: _skim_format,
    7: _skim_type,
    8: _skim_values,
    10: Reader.uint,
}
