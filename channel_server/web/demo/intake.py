"""From a POST request to an order, or to the reason why it is refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web

from channel_server.web.demo import order
from channel_server.web.demo.origin import is_foreign

if TYPE_CHECKING:
    from channel_server.web.demo.order import NoticeOrder, RecordsOrder

BODY_MAX: Final = 64 * 1024
"""Size of the largest body that is read, in bytes."""

_BODY_WITHIN_S: Final = 10.0


class Refused(Exception):
    """A request is answered with an error.

    Attributes:
        status: HTTP status, 400 to 499.
        reason: One line for the person at the page.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}"


async def take_order(request: web.Request) -> RecordsOrder | NoticeOrder:
    """Check who sent a request, read its body and check that too.

    Raises:
        Refused: 403 from another site's page, 415 unless JSON, 413 above 64 KB, 408 if the body
            takes longer than 10 s, 400 if the order makes no sense.
    """
    if is_foreign(request.headers, request.host):
        raise Refused(403, "the request came from a page of another site")
    # A page of another site may send a form or plain text without asking, but never JSON.
    if request.content_type != "application/json":
        raise Refused(415, "the content type must be application/json")
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            body = await request.clone(client_max_size=BODY_MAX).read()
        return order.read(body)
    except web.HTTPRequestEntityTooLarge as error:
        raise Refused(413, f"the body may have {BODY_MAX} bytes") from error
    except TimeoutError as error:
        raise Refused(408, f"the body did not arrive within {_BODY_WITHIN_S:.0f} s") from error
    except order.BadOrder as error:
        raise Refused(400, str(error)) from error
