"""Ids of users and groups, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from publisher.contract.ids import ID_CHARACTERS, id_text
from publisher.errors import InvalidMessage

if TYPE_CHECKING:
    from publisher.contract.ids import Id


def checked_id(field: str, value: object) -> Id:
    """Give back an id of a user or a group: a number stays a number, a text a text.

    Args:
        field: Argument to name if it is none.
        value: An int of any sign, or a text as ``publisher.contract.ids`` says. ``True`` is
            refused, although Python counts it as 1.

    Raises:
        InvalidMessage: For anything else: a room is found by its exact name, and a wrong one
            reaches nobody without a word.
    """
    text = id_text(value)
    if text is not None:
        return int(text) if isinstance(value, int) else text
    if isinstance(value, int | str) and not isinstance(value, bool):
        raise InvalidMessage(field, f"must be an int or a text, of {ID_CHARACTERS}")
    raise InvalidMessage(field, f"must be an int or a str, not {type(value).__name__}")
