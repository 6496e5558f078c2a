"""Reads HTML, as forgiving as the parser of the original: htmlparser2, version 4. Pure.

Python's ``html.parser`` reads broken HTML in another way, and not in the same way in each of its
releases. ``tests/property/test_plain_text.py`` compares this one with the original.
"""

from __future__ import annotations

import re
import sys
from html.entities import html5
from typing import TYPE_CHECKING, Final

from channel_server.bots.html_tree import Tree

if TYPE_CHECKING:
    from channel_server.bots.html_tree import Node

_SPACE: Final = " \n\t\f\r"
_NAME_END: Final = re.compile(r"[/> \n\t\f\r]")
_CLOSING_END: Final = re.compile(r"[> \n\t\f\r]")
_ATTRIBUTE_END: Final = re.compile(r"[=/> \n\t\f\r]")
_SPACES: Final = re.compile(r"[ \n\t\f\r]*")
_BEFORE_ATTRIBUTE: Final = re.compile(r"[ \n\t\f\r/]*")
_RAW: Final = {
    name: re.compile(rf"</[ \n\t\f\r]*{name}[> \n\t\f\r]", re.IGNORECASE)
    for name in ("script", "style")
}
_REFERENCE: Final = re.compile(r"&(?:#([0-9]+);?|#[xX]([0-9a-fA-F]+);?|([0-9a-zA-Z]+;?))")
_MAX_DIGITS: Final = 8
_LONGEST: Final = max(map(len, html5))
_WINDOWS_1252: Final = range(0x80, 0xA0)
_SURROGATES: Final = range(0xD800, 0xE000)


def parse(html: str) -> list[Node]:
    """Read a document or a part of one. Whatever it is, it is read in linear time."""
    tree = Tree()
    at = 0
    while at < len(html):
        begin = html.find("<", at)
        tree.add_text(html[at:] if begin < 0 else html[at:begin])
        if begin < 0:
            break
        at = _read_markup(html, begin, tree)
    return tree.finish()


def decode(text: str) -> str:
    """Replace character references by what they stand for."""
    return _REFERENCE.sub(_meaning_of, text) if "&" in text else text


def _meaning_of(reference: re.Match[str]) -> str:
    decimal, hexadecimal, name = reference.groups()
    if name is None:
        digits = (decimal or hexadecimal).lstrip("0") or "0"
        number = int(digits, 10 if decimal else 16) if len(digits) <= _MAX_DIGITS else -1
        return _character(number)
    for end in range(min(len(name), _LONGEST), 1, -1):
        if name[:end] in html5:
            return html5[name[:end]] + name[end:]
    return reference[0]


def _character(number: int) -> str:
    if not 0 < number <= sys.maxunicode or number in _SURROGATES:
        return "\N{REPLACEMENT CHARACTER}"
    if number in _WINDOWS_1252:
        return bytes([number]).decode("cp1252", "ignore") or chr(number)
    return chr(number)


def _read_markup(html: str, begin: int, tree: Tree) -> int:
    """Read what begins with ``<``. Return where to go on."""
    second = html[begin + 1 : begin + 2]
    if not second or second in "<>" + _SPACE:
        tree.add_text("<")
        return begin + 1
    if second == "/":
        return _read_closing(html, begin, tree)
    if second in "!?":
        return _read_other(html, begin, tree)
    return _read_opening(html, begin + 1, tree)


def _read_closing(html: str, begin: int, tree: Tree) -> int:
    at = _past(_SPACES, html, begin + 2)
    if at == len(html) or html[at] == ">":
        tree.add_text(html[begin : at + 1])
        return at + 1
    end = _CLOSING_END.search(html, at)
    if end is None:
        return len(html)
    tree.end(html[at : end.start()])
    return _after(">", html, end.start())


def _read_other(html: str, begin: int, tree: Tree) -> int:
    """Read a comment, a declaration, or an instruction. One without an end is text."""
    for start, stop in (("<!--", "-->"), ("<![CDATA[", "]]>")):
        inside = begin + len(start)
        if html[begin:inside].upper() == start:
            if inside < len(html):
                tree.add_other()
            return _after(stop, html, inside)
    # The first characters of a declaration do not end it, whatever they are.
    first = 2 if html[begin + 1] == "?" else 4 if html[begin + 2 : begin + 3] == "-" else 3
    end = html.find(">", begin + first)
    if end < 0:
        tree.add_text(html[begin + 2 :])
        return len(html)
    tree.add_other()
    return end + 1


def _read_opening(html: str, begin: int, tree: Tree) -> int:
    """Read the beginning of an element. One without an end counts as nothing."""
    end = _NAME_END.search(html, begin + 1)
    if end is None:
        rest = html[begin:]
        if any(name.startswith(rest.lower()) for name in _RAW):
            tree.add_text(rest)  # nobody knew yet what it would become
        return len(html)
    name, at, attributes = html[begin : end.start()], end.start(), dict[str, str]()
    while True:
        before = at
        at = _past(_BEFORE_ATTRIBUTE, html, at)
        if html[at : at + 1] == ">":
            break
        at = _read_attribute(html, at, attributes)
        if at >= len(html):
            return at
    is_closed = html[before:at].rstrip(_SPACE).endswith("/")
    tree.begin(name, attributes, is_closed=is_closed)
    raw = _RAW.get(name.lower())
    if raw is None:
        return at + 1
    closing = raw.search(html, at + 1)
    end_of_raw = len(html) if closing is None else closing.start()
    tree.add_text(html[at + 1 : end_of_raw])
    return end_of_raw


def _read_attribute(html: str, at: int, attributes: dict[str, str]) -> int:
    """Read an attribute. Return where to go on; the end, if that comes first."""
    end = _ATTRIBUTE_END.search(html, at + 1)
    if end is None:
        return len(html)
    name, value, at = html[at : end.start()].lower(), "", _past(_SPACES, html, end.start())
    if html[at : at + 1] == "=":
        at = _past(_SPACES, html, at + 1)
        quote = html[at : at + 1]
        if quote and quote in "\"'":
            close = html.find(quote, at + 1)
            value, after = html[at + 1 : close], close + 1
        else:
            bare_end = _CLOSING_END.search(html, at)
            close = after = -1 if bare_end is None else bare_end.start()
            value = html[at:close]
        if close < 0:
            return len(html)
        at = after
    attributes.setdefault(name, value)
    return at


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _after(end: str, text: str, at: int) -> int:
    found = text.find(end, at)
    return len(text) if found < 0 else found + len(end)
