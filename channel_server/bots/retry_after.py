"""How long a homeserver asks to wait. Pure.

Source: ``retry_after_ms`` of the Matrix client-server API; ``Retry-After`` of RFC 9110, 10.2.3.
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_MAX_WAIT_S: Final = 3600.0


def wait_s_of(document: Mapping[str, Any], header: str, now: datetime) -> float | None:
    """How long a homeserver asks to wait, within reason.

    Args:
        document: The body of its answer.
        header: Its ``Retry-After``: seconds, or a date; empty if there is none.
        now: The date and time, with a time zone.

    Returns:
        Seconds from 0, for a date in the past, to 3,600; None if it does not say.
    """
    wait_ms = document.get("retry_after_ms")
    if isinstance(wait_ms, int | float) and not isinstance(wait_ms, bool) and wait_ms > 0:
        return min(wait_ms / 1000, _MAX_WAIT_S)
    if header.isascii() and header.isdigit():
        return min(float(header), _MAX_WAIT_S)
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)  # every HTTP-date is; C's asctime() does not say so
    return min(max((date - now).total_seconds(), 0.0), _MAX_WAIT_S)
