"""Values of environment variables, and all problems with them at once."""

from __future__ import annotations

import os
import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from channel_server.origins import is_host, origin_of
from publisher.contract.redis_url import problem_with

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXAMPLE: Final = "https://loomio.example.org"
_UNIX_PLACE: Final = re.compile(r"unix:/[^?\0]+(\?mode=[0-7]{3,4})?")
_LONGEST_PATH: Final = 107
_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off"})


class Reader:
    """Reads one variable after the other; collects problems instead of stopping at the first one.

    A variable that is set to the empty string counts as not set.

    Args:
        env: The environment.

    Attributes:
        problems: One sentence for each variable that cannot be read; it gets its default.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = {name: value.strip() for name, value in env.items() if value.strip()}
        self.problems: list[str] = []

    def integer(self, name: str, default: int, *, low: int, high: int, why: str = "") -> int:
        """A whole number from ``low`` to ``high``; ``why`` says where that comes from."""
        text = self._env.get(name)
        if text is None:
            return default
        try:
            value = int(text)
        except ValueError:
            self.problems.append(f"{name} must be a whole number, not {text!r}")
            return default
        if not low <= value <= high:
            self.problems.append(f"{name} must be between {low} and {high}{why}, not {value}")
            return default
        return value

    def flag(self, name: str, default: str = "0") -> bool:
        """Yes or no."""
        text = self._env.get(name, default).lower()
        if text not in _YES | _NO:
            self.problems.append(f"{name} must be 1 or 0, not {text!r}")
        return text in _YES

    def networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Addresses or networks, separated by commas."""
        networks = []
        for text in self._env.get(name, "").split(","):
            if not text.strip():
                continue
            try:
                networks.append(ip_network(text.strip(), strict=False))
            except ValueError:
                self.problems.append(f"{name} must list addresses or networks, not {text!r}")
        return tuple(networks)

    def address(self, name: str, default: str) -> str:
        """An IP address of this machine, or ``localhost``."""
        text = self._env.get(name, default)
        if text != "localhost":
            try:
                ip_address(text)
            except ValueError:
                self.problems.append(f"{name} must be an IP address or localhost, not {text!r}")
                return default
        return text

    def place(self, name: str) -> str:
        """Where to listen: an address or a name of this machine, or ``unix:/path``; "": everywhere."""
        text = self._env.get(name, "")
        is_path = text.startswith("unix:")
        is_long = len(os.fsencode(text.removeprefix("unix:").partition("?")[0])) > _LONGEST_PATH
        if is_path and (is_long or not _UNIX_PLACE.fullmatch(text)):
            fault = (
                "a path of at most 107 bytes"
                if is_long
                else "like unix:/path or unix:/path?mode=660"
            )
            self.problems.append(f"{name} must be {fault}, not {text!r}")
        elif text and not is_path and not is_host(text):
            port = f"; the port goes into {name.replace('HOST', 'PORT')}" if ":" in text else ""
            self.problems.append(
                f"{name} must be an address or a name of this machine, or unix:/path, not {text!r}{port}"
            )
        return text

    def hosts(self, name: str) -> frozenset[str]:
        """Names or addresses of hosts, separated by commas."""
        hosts = [text.strip() for text in self._env.get(name, "").split(",") if text.strip()]
        for text in hosts:
            if not is_host(text.strip("[]")):
                self.problems.append(
                    f"{name} must list host names or addresses, without scheme or port, not {text!r}"
                )
        return frozenset(host.strip("[]").lower() for host in hosts)

    def choice(self, name: str, values: tuple[str, ...]) -> str:
        """One of several words; the first one is the default."""
        text = self._env.get(name, values[0])
        if text not in values:
            self.problems.append(f"{name} must be {' or '.join(values)}, not {text!r}")
        return text

    def redis_url(self, names: tuple[str, ...], default: str) -> str:
        """The address of a Redis, from the first variable that is set."""
        name = next((name for name in names if name in self._env), None)
        if name is None:
            return default
        url = self._env[name]
        problem = problem_with(url)
        if problem is not None:
            self.problems.append(f"{name} {problem}")
        return url

    def origin(self) -> str | None:
        """The origin of the application's pages; None if it is not known."""
        for name, url in (
            ("PUBLIC_APP_URL", self._env.get("PUBLIC_APP_URL")),
            ("CANONICAL_HOST", self._prefixed("CANONICAL_HOST")),
            ("VIRTUAL_HOST", self._prefixed("VIRTUAL_HOST")),
        ):
            if url is not None:
                return self._origin_of(name, url)
        return None

    def _prefixed(self, name: str) -> str | None:
        """The address of a host; of several host names, the first."""
        if name not in self._env:
            return None
        host = self._env[name].split(",")[0].strip()
        return f"https://{host.replace('channels.', '', 1) if name == 'VIRTUAL_HOST' else host}"

    def _origin_of(self, name: str, url: str) -> str | None:
        """The origin as browsers send it: a trailing slash, or a capital, would never match."""
        try:
            return origin_of(url)
        except ValueError:
            self.problems.append(f"{name} must name the application's host, as in {_EXAMPLE}")
            return None

    def text(self, name: str) -> str:
        """The value as it is; "" if it is not set."""
        return self._env.get(name, "")

    def has(self, *names: str) -> bool:
        """Tell whether one of these variables is set."""
        return any(name in self._env for name in names)

    def application(self) -> str | None:
        """Where the application is reached from here; None if that is not said.

        As in the Node program: ``PRIVATE_APP_URL``, else ``APP_URL``, else ``PUBLIC_APP_URL``,
        else ``https://`` and ``CANONICAL_HOST``.
        """
        for name in ("PRIVATE_APP_URL", "APP_URL", "PUBLIC_APP_URL"):
            if name in self._env:
                url = self._env[name].rstrip("/")
                if url.endswith("/api/hocuspocus") or "?" in url or "#" in url:
                    self.problems.append(f"{name} must end before /api/hocuspocus")
                    return None
                return url if self._origin_of(name, url) else None
        host = self._prefixed("CANONICAL_HOST")
        return None if host is None else self._origin_of("CANONICAL_HOST", host)
