"""Programs that the server asks: the application, and a Matrix homeserver."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final

from yarl import URL

from channel_server.adapters.guarded_http import GuardedHttp
from channel_server.collab.access import Access
from channel_server.doctor.finding import Finding, ill, well
from channel_server.errors import AddressRefused, ServerUnreachable

_WITHIN_S: Final = 10.0


async def examine_application(url: str) -> Finding:
    """Whether the application says who may open documents.

    Args:
        url: Its address, as ``PRIVATE_APP_URL`` says.
    """
    what = "Application"
    # What it complains about is the finding.
    logging.getLogger("channel_server.collab.access").setLevel(logging.CRITICAL)
    async with Access(URL(url) / "api/hocuspocus") as access:
        ruling = await access.ask("a token that nobody has", "comment-0-doctor")
        trouble = access.trouble
    if trouble is not None:
        remedy = "correct PRIVATE_APP_URL: it is asked at /api/hocuspocus who may edit"
        return ill(what, f"{URL(url).origin()} does not say who may edit: {trouble}", remedy)
    if ruling.scope is not None:
        remedy = "whatever answers at /api/hocuspocus must look at user_secret"
        return ill(what, "it lets a stranger edit", remedy)
    return well(what, f"{URL(url).origin()} says who may edit")


async def examine_homeserver(url: str, allowed_hosts: frozenset[str]) -> Finding:
    """Whether a homeserver can be reached from here, as bots do.

    Args:
        url: Its address.
        allowed_hosts: ``MATRIX_ALLOWED_HOSTS``.
    """
    what = "Homeserver"
    address = f"{url.rstrip('/')}/_matrix/client/versions"
    try:
        async with GuardedHttp(allowed_hosts, timeout_s=_WITHIN_S) as http:
            answer = await http.request("GET", address, token="")
    except AddressRefused:
        remedy = "name it in MATRIX_ALLOWED_HOSTS if that is right"
        return ill(what, "its address is not public", remedy)
    except ServerUnreachable as error:
        return ill(what, error.reason, "correct the bot's homeserver address, or the network")
    if answer.status != HTTPStatus.OK or "versions" not in answer.document:
        said = f"status {answer.status}: not a Matrix homeserver"
        return ill(what, said, "use the address of the client API, not of the server name")
    return well(what, "it answers")
