"""Positive whole numbers, checked: ids of records, and durations."""

from __future__ import annotations

from publisher.errors import InvalidMessage


def positive_int(field: str, value: object) -> int:
    """Give back a value that is a positive int.

    Args:
        field: Argument to name if it is none.
        value: 1 or more. ``True`` is refused, although Python counts it as 1.

    Raises:
        InvalidMessage: For anything else, text that looks like a number included.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidMessage(field, f"must be a positive int, not {type(value).__name__}")
    if value <= 0:
        raise InvalidMessage(field, "must be a positive int")
    return int(value)
