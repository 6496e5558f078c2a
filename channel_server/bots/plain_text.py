"""HTML as plain text, for clients that show no HTML: as html-to-text 6 without word wrap. Pure.

Source: ``matrix-bot-sdk``, which the original used, sends that text as the ``body`` of a message.
``tests/property/test_plain_text.py`` compares this module with the original.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from channel_server.bots.blocks import Blocks
from channel_server.bots.html import decode, parse
from channel_server.bots.html_tree import Element

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from channel_server.bots.html_tree import Node

_PLAIN_BLOCKS: Final = "article aside div footer form header main nav section"
_BLOCKS: Final = {
    **dict.fromkeys(("h1", "h2", "h3"), (3, 2)),
    **dict.fromkeys(("h4", "h5", "h6", "p", "pre", "blockquote", "table", "hr"), (2, 2)),
    **dict.fromkeys(_PLAIN_BLOCKS.split(), (1, 1)),
}
"""Line breaks before and after, at least."""

_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SKIPPED: Final = frozenset({"script", "style"})
_RULE: Final = "-" * 40
_BLANK: Final = re.compile(
    "[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*"
)
_NUMBER: Final = re.compile(r"[ \t\r\n]*([+-]?[0-9]{1,9})[ \t\r\n]*")
_LETTERS: Final = 26
_ROMAN: Final = (
    ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"),
    ("", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"),
    ("", "C", "CC", "CCC", "CD", "D", "DC", "DCC", "DCCC", "CM"),
    ("", "M", "MM", "MMM"),
)
_ROMAN_END: Final = 4000


def plain_text(html: str) -> str:
    """Convert HTML, however broken.

    Raises:
        TooMuchText: If it comes to more than 65,536 characters.
    """
    nodes = parse(html)
    body = next(_bodies(nodes), None)
    blocks = Blocks()
    _Writer(blocks).write(nodes if body is None else [body])
    return blocks.text()


def _bodies(nodes: Sequence[Node]) -> Iterator[Element]:
    for node in nodes:
        if isinstance(node, Element):
            if node.name == "body":
                yield node
            yield from _bodies(node.children)


class _Writer:
    """Writes elements, each in its way, into blocks of text."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._ways: dict[str, Callable[[Element], None]] = {
            "a": self._write_link,
            "blockquote": self._write_quote,
            "br": lambda _: blocks.break_line(),
            "hr": self._write_rule,
            "img": self._write_image,
            "ol": self._write_ordered,
            "pre": self._write_pre,
            "ul": self._write_unordered,
            **dict.fromkeys(_HEADINGS, self._write_heading),
            **dict.fromkeys(_SKIPPED, lambda _: None),
        }

    def write(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if isinstance(node, str):
                self._blocks.add(decode(node))
            elif node is not None:
                way = self._ways.get(node.name)
                if way is not None:
                    way(node)
                elif node.name in _BLOCKS:
                    self._write_block(node)
                else:
                    self.write(node.children)

    def _write_block(self, element: Element) -> None:
        before, after = _BLOCKS[element.name]
        self._blocks.open(before)
        self.write(element.children)
        self._blocks.close(after)

    def _write_heading(self, element: Element) -> None:
        self._blocks.upper += 1
        self._write_block(element)
        self._blocks.upper -= 1

    def _write_pre(self, element: Element) -> None:
        self._blocks.open(2, is_pre=True)
        self.write(element.children)
        self._blocks.close(2)

    def _write_rule(self, _: Element) -> None:
        self._blocks.open(2)
        self._blocks.add(_RULE)
        self._blocks.close(2)

    def _write_quote(self, element: Element) -> None:
        self._blocks.open(2)
        self.write(element.children)
        self._blocks.close(2, lambda text: "> " + text.strip("\n").replace("\n", "\n> "))

    def _write_image(self, element: Element) -> None:
        text = decode(element.attributes.get("alt", ""))
        source = element.attributes.get("src", "")
        shown = f"[{source}]" if source else ""
        self._blocks.add(f"{text} {shown}" if text and shown else text or shown)

    def _write_link(self, element: Element) -> None:
        target = element.attributes.get("href", "").removeprefix("mailto:")
        words = self._blocks.words
        self.write(element.children)
        if target and not target.startswith("#"):
            shown = decode(target)
            has_text = self._blocks.words > words
            self._blocks.add(f" [{shown}]" if has_text else shown, is_verbatim=True)

    # ── lists ───────────────────────────────────────────────────────────────────────────────

    def _write_unordered(self, element: Element) -> None:
        self._write_list(element, lambda _: " * ")

    def _write_ordered(self, element: Element) -> None:
        start = element.attributes.get("start") or "1"
        number = _NUMBER.fullmatch(start)
        first = int(number[1]) if number else 0 if _BLANK.fullmatch(start) else None
        shown = _numbering(element.attributes.get("type", "1"))
        self._write_list(
            element, lambda i: " NaN. " if first is None else f" {shown(first + i)}. "
        )

    def _write_list(self, element: Element, prefix_of: Callable[[int], str]) -> None:
        is_nested = element.parent == "li"
        items: list[tuple[Node, str]] = []
        count = 0
        for node in element.children:
            if isinstance(node, str) and _BLANK.fullmatch(node):
                continue
            prefix = ""
            if isinstance(node, Element) and node.name == "li":
                prefix = prefix_of(count).lstrip() if is_nested else prefix_of(count)
                count += 1
            items.append((node, prefix))
        if not items:
            return
        width = max(len(prefix) for _, prefix in items)
        breaks = 1 if is_nested else 2
        self._blocks.open(breaks)
        for node, prefix in items:
            self._blocks.open(1)
            self.write([node])
            self._blocks.close(1, _indented(prefix.ljust(width), width))
        self._blocks.close(breaks)


def _indented(prefix: str, width: int) -> Callable[[str], str]:
    return lambda text: prefix + text.replace("\n", "\n" + " " * width)


def _numbering(kind: str) -> Callable[[int], str]:
    """How the items of a list are numbered: ``a``, ``A``, ``i``, ``I`` or with digits."""
    if kind in {"a", "A"}:
        return lambda number: _letters(number, ord(kind))
    if kind in {"i", "I"}:
        return lambda number: _roman(number).lower() if kind == "i" else _roman(number)
    return str


def _letters(number: int, first: int) -> str:
    letters = ""
    while True:
        number -= 1
        letters = chr(first + int(math.fmod(number, _LETTERS))) + letters
        number = int(number / _LETTERS)
        if number <= 0:
            return letters


def _roman(number: int) -> str:
    """A Roman number; what the Romans had none for stays as it is."""
    if not 0 < number < _ROMAN_END:
        return str(number)
    digits = [int(digit) for digit in reversed(str(number))]
    return "".join(reversed([_ROMAN[place][digit] for place, digit in enumerate(digits)]))
