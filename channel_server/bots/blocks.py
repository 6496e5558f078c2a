"""Plain text in blocks: words on lines, lines in blocks, line breaks between blocks. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_SPACE: Final = " \t\r\n\f\u200b"
MAX_CHARACTERS: Final = 65_536
"""No Matrix event holds more. Lists in lists could make 500 times as much of short HTML."""

_WORD: Final = re.compile(f"[^{_SPACE}]+")


class TooMuchText(ValueError):
    """There is more text than anybody could send."""


class _Block:
    """A block that is being written.

    Attributes:
        before: Line breaks in front of it, at least.
        is_pre: White space is kept as it is.
        pending: Line breaks to write before what comes next.
        has_space: White space that has yet to be written, if a word follows.
    """

    def __init__(self, before: int, *, is_pre: bool) -> None:
        self.before = before
        self.is_pre = is_pre
        self.pending = 0
        self.has_space = False
        self._done: list[str] = []  # pieces of text
        self._line: list[str] = []  # pieces of the line that is being written

    def add_raw(self, text: str) -> None:
        if text:
            self._done.append(text)

    def break_line(self, count: int = 1) -> None:
        self._done += self._line
        self._done.append("\n" * count)
        self._line.clear()

    def add_word(self, word: str, *, is_apart: bool) -> None:
        if is_apart and self._line:
            self._line.append(" ")
        self._line.append(word)

    def add_block(self, text: str, before: int, after: int) -> None:
        breaks = max(self.pending, before)
        self._done += self._line
        self._line.clear()
        if self._done:
            self._done.append("\n" * breaks)
            self.add_raw(text)
        else:
            self.add_raw(text)
            self.before = breaks
        self.pending = after

    def text(self) -> str:
        return "".join(self._done) + "".join(self._line)


class Blocks:
    """Blocks within blocks.

    Attributes:
        upper: Words are written in capitals while this is above 0.
        words: How many words have been added that were not verbatim.
    """

    def __init__(self) -> None:
        self._stack = [_Block(1, is_pre=False)]
        self.upper = 0
        self.words = 0

    def open(self, before: int, *, is_pre: bool = False) -> None:
        """Begin a block inside the current one.

        Args:
            before: Line breaks in front of it, at least.
            is_pre: Its white space, and that of blocks in it, is kept.
        """
        self._stack.append(_Block(before, is_pre=is_pre or self._stack[-1].is_pre))

    def close(self, after: int, change: Callable[[str], str] = str) -> None:
        """End the current block.

        Raises:
            TooMuchText: If it has more than ``MAX_CHARACTERS``.

        Args:
            after: Line breaks behind it, at least.
            change: What becomes of its text.
        """
        block = self._stack.pop()
        text = change(_bounded(block.text()))
        self._stack[-1].add_block(_bounded(text), block.before, max(block.pending, after))

    def break_line(self) -> None:
        """Begin a new line."""
        block = self._stack[-1]
        if block.is_pre:
            block.add_raw("\n")
        else:
            block.break_line()

    def add(self, text: str, *, is_verbatim: bool = False) -> None:
        """Add text; white space in it is one blank, or none at the beginning of a line.

        Args:
            text: Text.
            is_verbatim: Not in capitals, and not counted.
        """
        block = self._stack[-1]
        if block.is_pre:
            block.add_raw(text)
            return
        words = _WORD.findall(text)
        if not words and (not text or block.pending):
            return
        if block.pending:
            block.break_line(block.pending)
            block.pending = 0
        if not is_verbatim:
            self.words += len(words)
        is_apart = block.has_space or text[0] in _SPACE
        for word in words:
            shown = word.upper() if self.upper and not is_verbatim else word
            block.add_word(shown, is_apart=is_apart)
            is_apart = True
        block.has_space = text[-1] in _SPACE or (block.has_space and not words)

    def text(self) -> str:
        """All that was written, when every block is closed."""
        return _bounded(self._stack[0].text())


def _bounded(text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise TooMuchText
    return text
