"""A primary and its replica, which can change places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.link import Link
from tests.ports import free_port
from tests.servers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.conftest import RedisServer

_WITHIN_S = 15.0


class Pair:
    """Both, and an address that leads to one of them, at first to the primary.

    Args:
        start: Starts a Redis with these options, as the fixture ``new_redis_server`` does.
        tls: Settings with which they speak nothing but TLS, of redis.conf.

    Attributes:
        old, new: The first primary, and the first replica.
        ports: Theirs.
        link: The address; a context manager.
    """

    def __init__(
        self, start: Callable[..., RedisServer], tls: Mapping[str, str] | None = None
    ) -> None:
        self.ports = [free_port(), free_port()]
        self.tls = tls or {}
        self.old, self.new = [
            start(*self._options(port), "--repl-diskless-sync-delay", "0") for port in self.ports
        ]
        self._follow(self.new, self.ports[0])
        self.link = Link(self.old.socket)

    def _options(self, port: int) -> list[str]:
        settings = {"tls-port": str(port), "port": "0", **self.tls}
        if not self.tls:
            settings = {"port": str(port)}
        return [word for name, value in settings.items() for word in (f"--{name}", value)]

    @staticmethod
    def _follow(redis: RedisServer, port: int) -> None:
        """Make one a replica; return when it has everything."""
        with redis.client() as raw:
            raw.replicaof("127.0.0.1", port)
            wait_until(
                lambda: raw.info("replication")["master_link_status"] == "up",
                within_s=_WITHIN_S,
                what="the replica is connected",
            )

    def change_roles(self) -> None:
        """Make the replica a primary, and the primary its replica."""
        with self.new.client() as raw:
            raw.replicaof("NO", "ONE")
        self._follow(self.old, self.ports[1])

    def move(self) -> None:
        """Lead new connections to the second one."""
        self.link.point_at(self.new.socket)

    @property
    def url(self) -> str:
        """The address."""
        return f"redis://127.0.0.1:{self.link.port}"
