"""Ids of users, groups and records, checked."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, TypeAlias

from publisher.contract.ids import ID_CHARACTERS, id_text
from publisher.errors import InvalidMessage
from publisher.not_loaded import reading

if TYPE_CHECKING:
    from publisher.contract.ids import Id

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**64 - 1
"""What readers of JSON in other languages know."""

AnyId: TypeAlias = int | str | uuid.UUID
"""An id as ``publisher.contract.ids`` says, or a UUID, which stands for its text."""


def checked_id(field: str, value: object) -> Id:
    """Give back an id: a number stays a number, a text a text.

    Args:
        field: Argument to name if it is none.
        value: An int of any sign, a text as ``publisher.contract.ids`` says, or a UUID. ``True`` is
            refused, although Python counts it as 1.

    Raises:
        InvalidMessage: For anything else: a room is found by its exact name, and a wrong one
            reaches nobody without a word.
    """
    if type(value) is int and INT_MIN <= value <= INT_MAX:
        return value  # as most are: 0.1 µs instead of 0.5
    if isinstance(value, uuid.UUID):
        value = str(value)
    text = id_text(value)
    if text is not None and isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise InvalidMessage(field, "is an int of more than 64 bits: pass it as text")
        return int(text)
    if text is not None:
        return text
    raise _no_id(field, value)


def _no_id(field: str, value: object) -> InvalidMessage:
    if isinstance(value, int | str) and not isinstance(value, bool):
        return InvalidMessage(field, f"must be an int or a text, of {ID_CHARACTERS}")
    hint = ""
    if isinstance(value, list | tuple | set) and not field.endswith("s"):
        hint = f"; {field}s=[...] takes several"
    elif isinstance(value, tuple):
        hint = "; values_list of Django needs flat=True"
    return InvalidMessage(
        field, f"must be an int, a str or a UUID, not {type(value).__name__}{hint}"
    )


def checked_ids(field: str, values: object) -> list[Id]:
    """Give back ids as a list.

    Raises:
        InvalidMessage: If it is no iterable of ids.
    """
    # Texts and bytes are iterables of ids, too, which nobody means.
    if isinstance(values, str | bytes | bytearray) or not isinstance(values, Iterable):
        raise InvalidMessage(field, f"must be an iterable of ids, not {type(values).__name__}")
    with reading(field):
        return [checked_id(field, value) for value in values]
