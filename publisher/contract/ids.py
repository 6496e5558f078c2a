"""Ids of users and groups: numbers, and texts. The one rule for both sides.

Source: the Node program, which joined whatever stood in the stored user.
"""

from __future__ import annotations

import re
from typing import Final

_TEXT: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def id_text(value: object) -> str | None:
    """An id as it stands in the names of rooms and keys.

    Args:
        value: An int of any sign, or a text of 1 to 64 characters out of ``A-Z a-z 0-9 _ - . :``.
            The number 7 and the text ``7`` are the same id.

    Returns:
        None for everything else; ``True`` is no id, although Python counts it as 1.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    is_id = isinstance(value, str) and _TEXT.fullmatch(value) is not None
    return value if is_id and isinstance(value, str) else None
