"""From names of classes to names of collections, as Rails makes them."""

from __future__ import annotations

import functools
import re
from typing import Final

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@functools.cache
def plural(word: str) -> str:
    """``reply`` → ``replies``, ``class`` → ``classes``, ``poll`` → ``polls``."""
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "z", "ch", "sh")) else f"{word}s"


@functools.cache
def singular(word: str) -> str:
    """``replies`` → ``reply``, ``active_polls`` → ``active_poll``."""
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    return word.removesuffix("s")


@functools.cache
def underscored(name: str) -> str:
    """``MembershipRequest`` → ``membership_request``."""
    return _HUMP.sub("_", name).lower()
