"""Whether a request comes from a page of another site.

Sources: Fetch Metadata (W3C) for ``Sec-Fetch-Site``, RFC 6454 for ``Origin``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

# "same-site" is missing on purpose: http://localhost:3000 is the same site as we are, and yet
# another program's page.
_OWN_SITES: Final = frozenset({"same-origin", "none"})


def is_foreign(headers: Mapping[str, str], host: str) -> bool:
    """Tell whether a browser says that another site's page sent this request.

    Args:
        headers: Request headers; look-up must ignore case.
        host: Our own host and port as the client wrote them, such as ``localhost:5000``.

    Returns:
        False also when neither header is there: curl sends none, and a browser cannot be made to
        leave out both. Only host and port of ``Origin`` count, because a proxy that ends
        TLS changes the scheme. ``Origin: null`` is foreign.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None and site not in _OWN_SITES:
        return True
    origin = headers.get("Origin")
    return origin is not None and _host_of(origin) != host.lower()


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # such as an unclosed "[" of an IPv6 address
        return ""
