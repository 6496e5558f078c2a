"""Real Redis servers on Unix sockets: private, parallel-safe, gone with the session."""

import contextlib
import os
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.servers import missing, redis_binary

# Under nohup every server of the tests would inherit that it ignores SIGHUP.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

START_S = 10
STOP_S = 5


class RedisServer:
    """One redis-server that listens on a Unix socket only.

    Args:
        folder: Its own, and short: a socket's path has at most 107 characters.
        options: For its command line, such as ``("--requirepass", "secret")``.
        password: The same password, for the URL.
    """

    def __init__(self, folder, *options, password=None):
        self.folder = Path(folder)
        self.socket = self.folder / "r.sock"
        self.password = password
        self.options = options
        self._process = None

    @property
    def url(self):
        """URL of database 0, with the password if there is one."""
        query = f"?password={self.password}" if self.password else ""
        return f"unix://{self.socket}{query}"

    def client(self, **options):
        """Make a plain redis-py client without retries, as every Redis knows it. Close it."""
        plain = {"protocol": 2, "driver_info": None, "retry": Retry(NoBackoff(), 0)}
        return redis.Redis.from_url(self.url, **(plain | options))

    def listen(self, *channels):
        """Subscribe, and return a Listener when Redis has confirmed it. Close it."""
        return Listener(self.client(), channels)

    def start(self):
        """Start, or start again at the same address; return when it answers."""
        command = [redis_binary(), "--port", "0", "--unixsocket", self.socket]
        command += ["--save", "", "--dir", self.folder, "--daemonize", "no", *self.options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert self._process.poll() is None, "redis-server did not start"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def _answers(self):
        with self.client() as client:
            try:
                return client.ping()
            except redis.ConnectionError:
                return False

    def kill(self):
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def pause(self):
        """Stop it in its tracks: connections stand, nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)
        # The signal has arrived when the parent can wait for the stop.
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def resume(self):
        """Go on after a pause."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self):
        """End it, paused or not."""
        if self._process is not None and self._process.poll() is None:
            self.resume()
            self._end(signal.SIGTERM)

    def _end(self, number):
        self._process.send_signal(number)
        self._process.wait(STOP_S)
        self.socket.unlink(missing_ok=True)


class Listener:
    """A subscription that tells what arrived, all of it and nothing else."""

    def __init__(self, client, channels):
        self._client = client
        self._end = f"end-{uuid.uuid4()}"
        self._pubsub = client.pubsub(ignore_subscribe_messages=False)
        self._pubsub.subscribe(*channels, self._end)
        for _ in (*channels, self._end):
            assert self._next()["type"] == "subscribe"

    def heard(self):
        """Return ``(channel, payload)`` of each message since the last call.

        A marker is published behind them: Redis keeps the order, so what is not here by the
        time the marker is will never come.
        """
        self._client.publish(self._end, "")
        messages = []
        while (message := self._next())["channel"].decode() != self._end:
            messages.append((message["channel"].decode(), message["data"]))
        return messages

    def _next(self):
        message = self._pubsub.get_message(timeout=START_S)
        assert message is not None, "nothing arrived in time"
        return message

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pubsub.close()
        self._client.close()


def need_redis():
    """Fail in CI, skip elsewhere, if there is no redis-server."""
    if redis_binary() is None:
        missing("no Redis or Valkey, installed or on PATH: make setup")


@contextlib.contextmanager
def running_redis(folder):
    """A Redis, as long as the context lasts."""
    need_redis()
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """One Redis for the whole session. Leave it running; use names of your own."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def new_redis_server(tmp_path_factory):
    """Start another Redis for this test only: ``new_redis_server("--requirepass", "secret")``."""
    need_redis()
    servers = []

    def start(*options, password=None):
        server = RedisServer(tmp_path_factory.mktemp("redis"), *options, password=password)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()
