"""Whether a server has grown. Pure: it sees samples only."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.soak.samples import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_MB: Final = 1.5
"""From the second quarter to the last; allocators and the number of clients waver by less."""

MOST_DESCRIPTORS: Final = 20
"""The same; some 250 clients are there at a time, and their number wavers by less."""


class Verdict(NamedTuple):
    """What is said of one server, and whether it is bad."""

    text: str
    has_grown: bool


def verdict(name: str, samples: Sequence[Sample]) -> Verdict:
    """Compare the medians of the last quarter and of the second; the first is for warming up.

    Args:
        name: Of the server.
        samples: In the order of time, at equal distances; four at least.
    """
    quarter = len(samples) // 4
    if not quarter:
        return Verdict(f"{name}: too few samples", has_grown=True)
    before, after = (
        _middle(part) for part in (samples[quarter : 2 * quarter], samples[-quarter:])
    )
    mb, descriptors = after.mb - before.mb, after.descriptors - before.descriptors
    has_grown = mb > MOST_MB or descriptors > MOST_DESCRIPTORS
    text = (
        f"{name}: {before.mb:.2f} MB in the second quarter, {after.mb:.2f} MB in the last,"
        f" {mb:+.2f} MB; {before.descriptors:g} and {after.descriptors:g} descriptors,"
        f" {descriptors:+g}: {'GROWN' if has_grown else 'ok'}"
    )
    return Verdict(text, has_grown)


def _middle(samples: Sequence[Sample]) -> Sample:
    """The median of each figure."""
    return Sample(*map(median, zip(*samples, strict=True)))
