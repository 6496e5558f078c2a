"""A record of any class, as another one names it."""

from __future__ import annotations

from typing import TypedDict


class Reference(TypedDict):
    """Such as ``{"type": "comment", "id": 202}``."""

    type: str
    id: int
