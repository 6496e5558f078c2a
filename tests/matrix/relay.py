"""``channel-server bots`` as a process whose output is kept."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING, Self

from tests.integration.program import STARTS_WITHIN_S, environment, until
from tests.servers import CHANNEL_SERVER, stop, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import RedisServer
    from tests.matrix.homeserver import FakeHomeserver

LOCAL = {"MATRIX_ALLOWED_HOSTS": "127.0.0.1"}
TOKEN = "syt_c2VjcmV0_token"
ROOM = "!room:fake"


class Relay:
    """The bots alone. A context manager: leaving it ends the process.

    Args:
        folder: Where its output is kept.
        redis: The Redis server it listens to.
        settings: Environment variables.
    """

    def __init__(self, folder: Path, redis: RedisServer, **settings: str) -> None:
        self._log = folder / f"relay-{len(list(folder.iterdir()))}"
        self._redis = redis
        before = patterns(redis)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [CHANNEL_SERVER, "bots"],
                stdout=log,
                stderr=log,
                env=environment(REDIS_URL=redis.url, **(LOCAL | settings)),
            )
        try:
            wait_until(
                lambda: patterns(redis) > before, within_s=STARTS_WITHIN_S, what="a subscription"
            )
        except BaseException:
            stop(self.process, signal.SIGKILL)
            print(self.output())
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            stop(self.process)
        print(self.output())  # shown by pytest when the test has failed

    def output(self) -> str:
        """All it has printed so far."""
        return self._log.read_text(errors="replace")

    def lines(self, text: str) -> list[str]:
        """Lines of the output that contain a text."""
        return [line for line in self.output().splitlines() if text in line]

    def kill(self) -> None:
        """End it as a crash would."""
        stop(self.process, signal.SIGKILL)


def config(server: str, *, token: str = TOKEN, room: str = ROOM) -> dict[str, str]:
    """What the application knows of a bot."""
    return {"server": server, "access_token": token, "channel": room}


async def arrived(fake: FakeHomeserver, *bodies: str) -> None:
    """Wait until a homeserver has these messages, and no others."""
    await until(lambda: fake.bodies == list(bodies), f"the bodies {bodies}, not {fake.bodies}")


def patterns(redis: RedisServer) -> int:
    """How many processes listen to a pattern: only bots do."""
    with redis.client() as client:
        return len([c for c in client.client_list() if c.get("psub") == "1"])


def waiting(redis: RedisServer) -> int:
    """How many messages wait in the outbox."""
    with redis.client() as client:
        return client.xlen("{channel_server}:outbox")
