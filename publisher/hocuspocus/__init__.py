"""Who may edit a document together with others: what Loomio answers at ``POST /api/hocuspocus``.

The rules are pure; ``publisher.hocuspocus.aiohttp``, ``.asgi`` and ``.wsgi`` put them behind a
URL, and are not imported from here. Source: the wire contract, 4.2 and 4.3.
"""

from publisher.hocuspocus.body import authorize_request, authorize_request_async
from publisher.hocuspocus.decision import (
    Decision,
    EditableType,
    authorize,
    authorize_async,
)

__all__ = [
    "Decision",
    "EditableType",
    "authorize",
    "authorize_async",
    "authorize_request",
    "authorize_request_async",
]
