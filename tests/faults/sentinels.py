"""A primary, a replica and three Sentinels that watch them, all of them real."""

from __future__ import annotations

import contextlib
import functools
import signal
import subprocess
from typing import TYPE_CHECKING, Self

import redis

from tests.ports import free_port
from tests.servers import redis_binary, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.faults.pair import Pair

NAME = "main"
_WITHIN_S = 15.0


class Sentinel:
    """One Sentinel. It rewrites its configuration, so it has a file of its own.

    Args:
        folder: For the file.
        primary: Port of the primary.
        password: To log in to it; "" for none.
        tls: Settings with which it speaks nothing but TLS, as of ``Pair``.
    """

    def __init__(
        self,
        folder: Path,
        primary: int,
        password: str = "",
        tls: Mapping[str, str] | None = None,
    ) -> None:
        tls = tls or {}
        self.port = free_port()
        self._password = password
        self._authority = tls.get("tls-ca-cert-file")
        lines = [
            *(["port 0", f"tls-port {self.port}"] if tls else [f"port {self.port}"]),
            *(" ".join(setting) for setting in tls.items()),
            f"sentinel monitor {NAME} 127.0.0.1 {primary} 2",
            f"sentinel down-after-milliseconds {NAME} 500",
            f"sentinel failover-timeout {NAME} 4000",
            *([f"requirepass {password}"] if password else []),
            *([f"sentinel sentinel-pass {password}"] if password else []),
        ]
        self._config = folder / f"sentinel-{self.port}.conf"
        self._config.write_text("\n".join(lines) + "\n")
        self._process = subprocess.Popen(
            [redis_binary(), self._config, "--sentinel"], stdout=subprocess.DEVNULL
        )

    def client(self) -> redis.Redis:
        """Make a client. Close it."""
        return redis.Redis(
            "127.0.0.1",
            self.port,
            password=self._password or None,
            ssl=self._authority is not None,
            ssl_ca_certs=self._authority,
        )

    def fail_over(self) -> None:
        """Have the replica made the primary."""
        with self.client() as client:
            client.sentinel_failover(NAME)

    def is_up(self) -> bool:
        """Whether it answers."""
        with self.client() as client, contextlib.suppress(redis.RedisError):
            return bool(client.ping())
        return False

    def knows(self, others: int) -> bool:
        """Whether it has found the replica, and so many other Sentinels."""
        with self.client() as client, contextlib.suppress(redis.RedisError):
            state = client.sentinel_masters()[NAME]
            return bool(state["num-other-sentinels"] == others and state["num-slaves"] == 1)
        return False

    def pause(self) -> None:
        """Let it say nothing any more."""
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """End it at once."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


class House:
    """All five.

    Args:
        folder: For the configurations.
        pair: The primary and its replica.
        password: Of the Sentinels only; "" for none.
    """

    def __init__(self, folder: Path, pair: Pair, password: str = "") -> None:
        self.primary, self.replica = pair.old, pair.new
        self.ports = pair.ports
        self._password = password
        self._tls = pair.tls
        self.sentinels = [Sentinel(folder, pair.ports[0], password, pair.tls) for _ in range(3)]

    def __enter__(self) -> Self:
        try:
            for sentinel in self.sentinels:
                known = functools.partial(sentinel.knows, 2)
                wait_until(known, within_s=_WITHIN_S, what="they know each other")
        except BaseException:  # pytest.fail is one: leave no process
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for sentinel in self.sentinels:
            sentinel.kill()

    @property
    def url(self) -> str:
        """For servers and publishers."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        query = f"?sentinel_password={self._password}" if self._password else ""
        if self._tls:
            query = f"?ssl_ca_certs={self._tls['tls-ca-cert-file']}"
        return f"redis{'s' if self._tls else ''}+sentinel://{hosts}/{NAME}/0{query}"
