"""A look at an update before yrs decodes it: is it what yjs writes, and at little cost?

yrs reserves memory for as many entries as an update says it has: four bytes make it spend half a
second and 256 MiB. It follows nested values as deep as they go, until its stack overflows and the
process is gone. It reads some kinds of content otherwise than yjs, so that bytes hide in them. And
it takes updates on which yjs throws: one of those in a document, and no browser can open it again.
So everything that a client sends is parsed here first, as yjs would, and what yjs would not write
is broken. An update of a few keystrokes takes 15 µs; a long one is parsed in the sandbox.

Source: yjs 13.6, the version 1 encoding of updates.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from channel_server.collab.lib0 import Reader
from channel_server.core import strict_json
from channel_server.errors import MalformedFrame

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_ENTRIES: Final = 200
"""More than a person's hands do in a moment, and half a millisecond to look at."""

_MAX_DEPTH: Final = 100
_MAX_CLOCK: Final = 2**31
"""yrs counts with 32 bits."""

_ORIGIN: Final = 0x80
_RIGHT_ORIGIN: Final = 0x40
_PARENT_KEY: Final = 0x20
_CONTENT: Final = 0x1F

_GARBAGE: Final = 0
_GAP: Final = 10

_TYPES: Final = frozenset({0, 1, 2, 3, 4, 6})
"""Array, map, text, XML element, fragment and text. yrs forgets the name of an XML hook (5)."""
_XML_ELEMENT: Final = 3


class Look(enum.Enum):
    """What a look at an update tells."""

    HARMLESS = enum.auto()
    """It is what yjs writes, and yrs decodes it at little cost."""
    BROKEN = enum.auto()
    """It is nothing that yjs writes."""
    UNSURE = enum.auto()
    """It is long."""


class _TooLongError(Exception):
    """There are more entries than are looked at here."""


def look_at_update(update: bytes) -> Look:
    """Parse an update, unless it is long."""
    try:
        _Skimmer(update, _MAX_ENTRIES).run()
    except MalformedFrame:
        return Look.BROKEN
    except _TooLongError:
        return Look.UNSURE
    return Look.HARMLESS


def parse_update(update: bytes) -> None:
    """Parse an update of any length: a microsecond for each byte or so.

    Raises:
        MalformedFrame: If it is nothing that yjs writes.
    """
    _Skimmer(update, len(update) + 1).run()


def is_broken_state(state: bytes) -> bool:
    """Tell whether a state vector has fewer entries than it announces."""
    try:
        return 2 * Reader(state).uint() > len(state)
    except MalformedFrame:
        return True


class _Skimmer:
    """Reads an update from its beginning to its end.

    Args:
        update: The update.
        most: How many entries of all kinds it may have.
    """

    __slots__ = ("_client", "_clock", "_left", "_reader")

    def __init__(self, update: bytes, most: int) -> None:
        self._reader = Reader(update)
        self._left = most
        self._client = 0
        self._clock = 0

    def run(self) -> None:
        reader = self._reader
        for _ in range(self._count()):
            structs = self._count()
            self._client = reader.uint()
            self._clock = reader.uint()
            for _ in range(structs):
                self._struct()
        for _ in range(self._count()):
            reader.uint()  # the client whose structs are deleted
            for _ in range(self._count()):
                self._within(reader.uint() + self._length())  # from where, and how many
        if reader.left:
            raise MalformedFrame("more than an update")

    def _count(self) -> int:
        """How many entries follow, each of at least one byte."""
        count = self._reader.uint()
        if count > self._reader.left:
            raise MalformedFrame("fewer than announced")
        self._left -= count
        if self._left < 0:
            raise _TooLongError
        return count

    def _some(self) -> int:
        count = self._count()
        if not count:
            raise MalformedFrame("nothing in it")
        return count

    @staticmethod
    def _within(clock: int) -> None:
        if clock > _MAX_CLOCK:
            raise MalformedFrame("a clock is too large")

    # ── structs ─────────────────────────────────────────────────────────────────────────────

    def _struct(self) -> None:
        info = self._reader.byte()
        if info in {_GARBAGE, _GAP}:
            length = self._length()
        else:
            self._place(info)
            read = _CONTENTS.get(info & _CONTENT)
            if read is None:
                raise MalformedFrame("unknown content")
            length = read(self)
        self._clock += length
        self._within(self._clock)

    def _length(self) -> int:
        length = self._reader.uint()
        if not length:
            raise MalformedFrame("nothing in it")
        return length

    def _place(self, info: int) -> None:
        """Between which two, or in what, an item is."""
        if info & _ORIGIN:
            self._id()
        if info & _RIGHT_ORIGIN:
            self._id()
        if info & (_ORIGIN | _RIGHT_ORIGIN):
            return
        if self._reader.uint() == 1:
            self._reader.string()
        else:
            self._id()
        if info & _PARENT_KEY:
            self._reader.string()

    def _id(self) -> None:
        """What another item is called: it has to be there before this one."""
        client, clock = self._reader.uint(), self._reader.uint()
        self._within(clock)
        if client == self._client and clock >= self._clock:
            raise MalformedFrame("an item beside one that comes later")

    # ── what is in them; each returns the length by which the clock goes on ────────────────

    def _text(self) -> int:
        text = self._reader.string()
        if not text:
            raise MalformedFrame("nothing in it")
        return len(text) + sum(character > "\uffff" for character in text)

    def _texts(self) -> int:
        count = self._some()
        for _ in range(count):
            text = self._reader.buffer()
            if text != b"undefined":
                _parse_json(text)
        return count

    def _bytes(self) -> int:
        self._reader.buffer()
        return 1

    def _json(self) -> int:
        _parse_json(self._reader.buffer())
        return 1

    def _format(self) -> int:
        self._reader.string()
        return self._json()

    def _type(self) -> int:
        kind = self._reader.uint()
        if kind not in _TYPES:
            raise MalformedFrame("unknown type")
        if kind == _XML_ELEMENT:
            self._reader.string()
        return 1

    def _values(self) -> int:
        count = self._some()
        for _ in range(count):
            self._value(0)
        return count

    def _document(self) -> int:
        """A document in the document: its name, and options, which are an object."""
        self._reader.string()
        if self._reader.byte() != _OBJECT:
            raise MalformedFrame("options are no object")
        self._object(0)
        return 1

    # ── values ──────────────────────────────────────────────────────────────────────────────

    def _value(self, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise MalformedFrame("nested too deeply")
        kind = self._reader.byte()
        if kind in _PLAIN:
            self._reader.skip(_PLAIN[kind])
        elif kind in _SIMPLE:
            _SIMPLE[kind](self._reader)
        elif kind == _ARRAY:
            for _ in range(self._count()):
                self._value(depth + 1)
        elif kind == _OBJECT:
            self._object(depth)
        else:
            raise MalformedFrame("unknown value")

    def _object(self, depth: int) -> None:
        for _ in range(self._count()):
            self._reader.string()
            self._value(depth + 1)


def _parse_json(text: bytes) -> None:
    try:
        strict_json.loads(text)
    except ValueError:
        raise MalformedFrame("not JSON") from None


_OBJECT: Final = 118
_ARRAY: Final = 117
_SIMPLE: Final[dict[int, Callable[[Reader], object]]] = {
    125: Reader.pass_number,
    119: Reader.string,
    116: Reader.buffer,
}
_PLAIN: Final = {127: 0, 126: 0, 124: 4, 123: 8, 122: 8, 121: 0, 120: 0}
"""Size of undefined, null, float, double, bigint, false, true."""

_CONTENTS: Final[dict[int, Callable[[_Skimmer], int]]] = {
    1: _Skimmer._length,  # noqa: SLF001 - of this module
    2: _Skimmer._texts,  # noqa: SLF001
    3: _Skimmer._bytes,  # noqa: SLF001
    4: _Skimmer._text,  # noqa: SLF001
    5: _Skimmer._json,  # noqa: SLF001
    6: _Skimmer._format,  # noqa: SLF001
    7: _Skimmer._type,  # noqa: SLF001
    8: _Skimmer._values,  # noqa: SLF001
    9: _Skimmer._document,  # noqa: SLF001
}
