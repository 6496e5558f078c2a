"""Who may operate the server: a key, or a session of the dashboard, or whoever is on this machine."""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from hashlib import sha256
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

_SESSION_S: Final = 12 * 3600.0
_MAX_SESSIONS: Final = 100
_WINDOW_S: Final = 60.0
_MAX_FAILURES: Final = 5
_MAX_FAILURES_OF_ALL: Final = 100
_BY_PROXIES: Final = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")

ONLY_HERE: Final = (
    "without a password or key only programs on this machine are served, by its name and without"
    " a proxy: set ADMIN_PASSWORD, ADMIN_API_KEY"
)
FOREIGN: Final = (
    "it comes from a page of another site; or a proxy in front does not pass the Host header on"
)


class Throttle:
    """Counts wrong secrets: who has tried five in a minute has to wait.

    So do all when a hundred were wrong, from however many addresses; memory stays bounded.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: deque[tuple[float, str]] = deque()

    def may_try(self, address: str) -> bool:
        """Tell whether another attempt is looked at."""
        oldest_s = self._clock() - _WINDOW_S
        while self._failures and self._failures[0][0] < oldest_s:
            self._failures.popleft()
        mine = sum(who == address for _, who in self._failures)
        return mine < _MAX_FAILURES and len(self._failures) < _MAX_FAILURES_OF_ALL

    def failed(self, address: str) -> None:
        """Count a wrong secret."""
        self._failures.append((self._clock(), address))


class Guard:
    """Answers for each request what it may do.

    - The API: with ``Authorization: Bearer <key>``; from the dashboard; or, if there is neither
      key nor password and only programs on this machine reach the port, by anybody.
    - The dashboard: with the password; without one only on this machine, and there, if there is a
      key, with the key.
    - What is used without key must not come from another site's page; and what is used without
      any secret must name this machine as its ``Host``: a page whose host name suddenly means
      127.0.0.1 is another site's. What a proxy says of itself shows that it may be from anywhere.

    Secrets are compared in constant time, and sessions are kept as digests.

    Attributes:
        cookie: Name of the dashboard's cookie, another one in each process: browsers give
            cookies of one port to all others of that host.
        throttle: Counts wrong secrets.

    Args:
        password: For the dashboard; "" if there is none.
        api_key: For the API; "" if there is none.
        is_loopback: Only programs on this machine reach the port.
        clock: Monotonic seconds.
    """

    def __init__(
        self, *, password: str, api_key: str, is_loopback: bool, clock: Callable[[], float]
    ) -> None:
        self._password = password
        self._api_key = api_key
        self._is_loopback = is_loopback
        self._clock = clock
        self._sessions: dict[bytes, float] = {}
        self.cookie = f"channel_server_{secrets.token_hex(4)}"
        self.throttle = Throttle(clock)

    @property
    def has_dashboard(self) -> bool:
        """Whether there is a dashboard at all."""
        return bool(self._password) or self._is_loopback

    @property
    def has_key(self) -> bool:
        """Whether there is a key at all."""
        return bool(self._api_key)

    @property
    def asks_for_password(self) -> bool:
        """Whether the dashboard begins with a question."""
        return bool(self._password or self._api_key)

    def is_password(self, text: str) -> bool:
        """Compare, in constant time."""
        secret = self._password or self._api_key
        return bool(secret) and _is_same(text, secret)

    def is_key(self, text: str) -> bool:
        """Compare, in constant time."""
        return bool(self._api_key) and _is_same(text, self._api_key)

    @property
    def is_open(self) -> bool:
        """Whether whoever is on this machine needs no secret."""
        return self._is_loopback and not (self._api_key or self._password)

    # ── sessions of the dashboard ───────────────────────────────────────────────────────────

    def begin_session(self) -> str:
        """Return what the browser has to show from now on; the oldest of too many ends."""
        token = secrets.token_urlsafe()
        self._sessions[_digest(token)] = self._clock() + _SESSION_S
        while len(self._sessions) > _MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        return token

    def has_session(self, request: web.Request) -> bool:
        """Tell whether the browser has logged in."""
        ends_at_s = self._sessions.get(_digest(request.cookies.get(self.cookie, "")))
        return ends_at_s is not None and ends_at_s > self._clock()

    def end_session(self, request: web.Request) -> None:
        """Log out."""
        self._sessions.pop(_digest(request.cookies.get(self.cookie, "")), None)

    # ── where a request comes from ──────────────────────────────────────────────────────────

    def is_misled(self, request: web.Request) -> bool:
        """Tell whether a request without any secret was meant for another host, or passed on."""
        is_proxied = any(name in request.headers for name in _BY_PROXIES)
        is_here = not is_proxied and _is_this_machine(request.headers.get("Host", ""))
        return self._is_loopback and not is_here

    @staticmethod
    def is_foreign(request: web.Request) -> bool:
        """Tell whether a page of another site has sent it."""
        site = request.headers.get("Sec-Fetch-Site", "none")
        origin = request.headers.get("Origin")
        scheme, _, host = (origin or "").partition("://")
        is_other = origin is not None and (not scheme or host != request.headers.get("Host"))
        return site not in {"same-origin", "none"} or is_other


def _is_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _is_same(text: str, secret: str) -> bool:
    return hmac.compare_digest(_digest(text), _digest(secret))
