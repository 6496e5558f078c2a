"""A real Redis with the users in it, and the publisher."""

import functools
import socket
from pathlib import Path

import redis

from tests.bench import records
from tests.bench.processes import DidNotStart, Process
from tests.ports import free_port
from tests.servers import redis_binary


class Store(Process):
    """One redis-server, without persistence, for one server under test.

    Attributes:
        url: What the server under test gets as ``REDIS_URL``.
    """

    def __init__(self, directory: Path) -> None:
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._publisher = socket.socket()
        # Redis answers nothing, so without this a message waits for a delayed ACK: 40 ms.
        self._publisher.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        binary = redis_binary()
        if binary is None:
            raise DidNotStart("no Redis or Valkey is installed")
        argv = [binary, "--port", str(self._port), *options]
        super().__init__(argv, {}, directory)

    def fill(self, users: int) -> None:
        """Store the users 1 to ``users``, and get ready to publish."""
        self.until(self.is_listening, "Redis")
        with redis.Redis.from_url(self.url) as client, client.pipeline() as pipeline:
            for number in range(1, users + 1):
                key = f"/current_users/{records.token(number)}"
                pipeline.set(key, records.user(number))
            pipeline.execute()
        self._publisher.connect(("127.0.0.1", self._port))
        self._publisher.sendall(_command(b"CLIENT", b"REPLY", b"OFF"))

    def publish(self, room: str) -> None:
        """Publish a record for a room: one system call, and no answer to wait for."""
        self._publisher.sendall(_publication(room))

    def stop(self) -> None:
        self._publisher.close()
        super().stop()


@functools.cache
def _publication(room: str) -> bytes:
    return _command(b"PUBLISH", b"/records", records.record(room))


def _command(*words: bytes) -> bytes:
    """A Redis command as bytes (RESP2)."""
    head = b"*%d\r\n" % len(words)
    return head + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
