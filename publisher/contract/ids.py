"""Ids of users and groups: numbers, and texts. The one rule for both sides.

Source: the Node program, which joined whatever stood in the stored user.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Id: TypeAlias = int | str
"""An int of any sign, or a text of 1 to 64 characters out of ``A-Z a-z 0-9 _ - . :``."""

ID_CHARACTERS: Final = "1 to 64 characters out of A-Z a-z 0-9 _ - . :"
"""The rule for texts, in words."""

_TEXT: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_INT_MIN, _INT_MAX = -(10**63), 10**64
"""Beyond them a number has more than 64 characters."""
_EXACT_MAX: Final = 2**53 - 1


def id_text(value: object) -> str | None:
    """An id as it stands in the names of rooms and keys.

    Args:
        value: An int of any sign, or a text of 1 to 64 characters out of ``A-Z a-z 0-9 _ - . :``.
            The number 7 and the text ``7`` are the same id.

    Returns:
        None for everything else; ``True`` is no id, although Python counts it as 1.
    """
    if isinstance(value, int) and not isinstance(value, bool) and _INT_MIN < value < _INT_MAX:
        return str(int(value))
    found = _TEXT.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else found[0]


def read_id(text: str) -> Id | None:
    """An id that was typed, or stands in a URL.

    Returns:
        A number if it is written as JSON writes it, and every reader of JSON knows it exactly;
        else a text: ``007`` is another id than 7. None if it is no id.
    """
    if id_text(text) is None:
        return None
    number = int(text) if re.fullmatch(r"0|-?[1-9][0-9]*", text) else None
    return text if number is None or abs(number) > _EXACT_MAX else number
