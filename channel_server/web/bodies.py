"""Bodies of requests have to come in time: each takes a place that somebody else could have."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from channel_server.web.operator import CannotDo

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")

_WITHIN_S: Final = 10.0


async def in_time(reading: Awaitable[T]) -> T:
    """Wait for a body.

    Raises:
        CannotDo: If it takes too long.
    """
    try:
        async with asyncio.timeout(_WITHIN_S):
            return await reading
    except TimeoutError:
        raise CannotDo(408, "the body did not come in time") from None
