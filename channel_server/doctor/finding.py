"""One line of the doctor's report."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """What was found.

    Attributes:
        is_well: None if it was not looked at, or is worth a look and no more.
        what: What was looked at.
        said: What was found, or the cause.
        remedy: What to do about it; "" if nothing.
    """

    is_well: bool | None
    what: str
    said: str
    remedy: str = ""

    def __str__(self) -> str:
        mark = {True: "✓", False: "✗", None: "·"}[self.is_well]
        remedy = f"\n    → {self.remedy}" if self.remedy else ""
        return f"{mark} {self.what}: {self.said}{remedy}"


def well(what: str, said: str) -> Finding:
    """All is as it should be."""
    return Finding(True, what, said)


def ill(what: str, said: str, remedy: str) -> Finding:
    """Something is wrong."""
    return Finding(False, what, said, remedy)


def unasked(what: str, said: str, remedy: str = "") -> Finding:
    """It was not looked at, or is for the operator to judge."""
    return Finding(None, what, said, remedy)
