"""HTML elements, as they begin and end, in whatever order. Pure.

Source: the rules of htmlparser2, version 4, which are not those of HTML 5.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

_MAX_DEPTH: Final = 100
"""What is nested deeper belongs to the element at this depth: readers of the tree recurse."""

_VOID_NAMES: Final = (
    "area base basefont br col command embed frame hr img input isindex keygen link meta param"
    " source track wbr"
)
_FORM_NAMES: Final = "input option optgroup select button datalist textarea"
_PARAGRAPH_ENDS: Final = (
    "p h1 h2 h3 h4 h5 h6 address article aside blockquote details div dl fieldset figcaption"
    " figure footer form header hr main nav ol pre section table ul"
)
_INTEGRATION_NAMES: Final = "mi mo mn ms mtext annotation-xml desc title"

_VOID: Final = frozenset(_VOID_NAMES.split())
_FOREIGN: Final = frozenset({"math", "svg"})
_INTEGRATION: Final = frozenset(_INTEGRATION_NAMES.split())
_CLOSED_BY: Final = {
    "tr": frozenset({"tr", "th", "td"}),
    "th": frozenset({"th"}),
    "td": frozenset({"thead", "th", "td"}),
    "body": frozenset({"head", "link", "script"}),
    "li": frozenset({"li"}),
    **dict.fromkeys(_FORM_NAMES.split(), frozenset(_FORM_NAMES.split())),
    "output": frozenset(_FORM_NAMES.split()),
    "option": frozenset({"option"}),
    "optgroup": frozenset({"optgroup", "option"}),
    **dict.fromkeys(("dd", "dt"), frozenset({"dt", "dd"})),
    **dict.fromkeys(("rt", "rp"), frozenset({"rt", "rp"})),
    **dict.fromkeys(("tbody", "tfoot"), frozenset({"thead", "tbody"})),
    **dict.fromkeys(_PARAGRAPH_ENDS.split(), frozenset({"p"})),
}
"""Elements that end where one of this name begins, if they are the innermost."""


class Element(msgspec.Struct, eq=False):
    """An element.

    Attributes:
        name: In lower case.
        attributes: As they were written, character references and all; the first of a name counts.
        parent: Name of the element that it is in; empty at the top.
        children: What is in it.
    """

    name: str
    attributes: dict[str, str]
    parent: str
    children: list[Node]


Node = Element | str | None
"""An element, a text with its character references, or something else, such as a comment."""


class Tree:
    """Elements in elements."""

    def __init__(self) -> None:
        self._top: list[Node] = []
        self._text: list[str] = []
        self._names: list[str] = []  # of all that are open; of these, the outer ones have elements
        self._open = Counter[str]()
        self._elements: list[Element] = []
        self._is_foreign: list[bool] = []

    def _add(self, node: Node) -> None:
        self._end_text()
        self._siblings().append(node)

    def _end_text(self) -> None:
        """What was added as text is a text."""
        if self._text:
            self._siblings().append("".join(self._text))
            self._text.clear()

    def _siblings(self) -> list[Node]:
        return self._elements[-1].children if self._elements else self._top

    def add_text(self, text: str) -> None:
        """Add text."""
        if text:
            self._text.append(text)

    def add_other(self) -> None:
        """Add something that is neither text nor an element."""
        self._add(None)

    def begin(self, name: str, attributes: dict[str, str], *, is_closed: bool) -> None:
        """Begin an element, and end those that it ends.

        Args:
            name: As it was written.
            attributes: Of the element.
            is_closed: It was written with a slash at its end, which counts in SVG and MathML.
        """
        name = name.lower()
        closed = _CLOSED_BY.get(name, ())
        while self._names and self._names[-1] in closed:
            self.end(self._names[-1])
        is_too_deep = len(self._names) >= _MAX_DEPTH
        parent = self._elements[-1].name if self._elements else ""
        element = Element(name, attributes, parent, [])
        if name in _VOID or not is_too_deep:
            self._add(element)
        if name in _VOID:
            return
        self._names.append(name)
        self._open[name] += 1
        if not is_too_deep:
            self._elements.append(element)
        if name in _FOREIGN | _INTEGRATION:
            self._is_foreign.append(name in _FOREIGN)
        if is_closed and self._is_foreign and self._is_foreign[-1]:
            self._pop()

    def end(self, name: str) -> None:
        """End the innermost element of this name, with all that are in it."""
        name = name.lower()
        if name in _FOREIGN | _INTEGRATION and self._is_foreign:
            self._is_foreign.pop()
        if self._open[name]:
            while self._pop() != name:
                pass
        elif name in {"p", "br"}:
            self.begin(name, {}, is_closed=False)
            if name == "p":
                self._pop()

    def finish(self) -> list[Node]:
        """Return what is in no element."""
        self._end_text()
        return self._top

    def _pop(self) -> str:
        self._end_text()
        name = self._names.pop()
        self._open[name] -= 1
        del self._elements[len(self._names) :]
        return name
