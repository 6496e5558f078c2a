"""Origins of web servers: scheme, host and port, as browsers write them."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_HOST_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", re.IGNORECASE)
_ADDRESS_LIKE: Final = re.compile(r"[0-9.]+|[0-9a-f.]*:[0-9a-f:.]*", re.IGNORECASE)


def origin_of(url: str) -> str:
    """The origin of an address; what follows it is left out.

    A trailing slash, a capital, or a port that goes without saying, would never match.

    Raises:
        ValueError: If it is not of a web server.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode()
    if parts.scheme not in _DEFAULT_PORTS or not is_host(host):
        reason = "not the address of a web server"
        raise ValueError(reason)
    is_default = parts.port in {None, _DEFAULT_PORTS[parts.scheme]}
    return f"{parts.scheme}://{in_url(host)}{'' if is_default else f':{parts.port}'}"


def in_url(host: str) -> str:
    """A host as it stands in a URL: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def is_host(text: str) -> bool:
    """Whether a text is a host name or an address."""
    if not _ADDRESS_LIKE.fullmatch(text):
        return bool(_HOST_NAME.fullmatch(text))
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
