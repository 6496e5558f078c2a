"""What an application is told where Redis cannot be reached: the cause, and what to do about it."""

import contextlib
import socket

import pytest

from publisher import AsyncPublisher, Publisher, RedisUnavailable
from tests.faults.link import Link
from tests.faults.stub_node import StubNode
from tests.integration.both import done
from tests.integration.test_tls import Authority
from tests.ports import free_port

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@contextlib.contextmanager
def place(kind, redis_server, authority, tmp_path):
    """Something at which Redis is looked for. Give its address."""
    with contextlib.ExitStack() as stack:
        if kind == "plain":
            yield f"127.0.0.1:{stack.enter_context(Link(redis_server.socket)).port}"
        elif kind == "tls":
            link = Link(redis_server.socket, tls=authority.context())
            yield f"localhost:{stack.enter_context(link).port}"
        elif kind == "site":
            yield f"127.0.0.1:{stack.enter_context(StubNode()).port}"
        elif kind == "nothing":
            yield f"127.0.0.1:{free_port()}"
        else:
            yield {"unknown": "no.such.host.invalid:6379", "socket": f"{tmp_path}/none.sock"}[kind]


CASES = {
    "nothing listens": ("redis", "nothing", "nothing listens there; start Redis"),
    "unknown host": ("redis", "unknown", "its host name is unknown here"),
    "no socket": ("unix", "socket", "its socket, or a file for TLS, is not there"),
    "TLS to a plain port": ("rediss", "plain", "has it TLS where"),
    "plain to TLS": ("redis", "tls", "want TLS"),
    "unknown authority": ("rediss", "tls", "name the host as it does, and who vouches"),
    "a web site": ("redis", "site", "what answers is no Redis"),
}


@pytest.mark.parametrize("kind", [Publisher, AsyncPublisher], ids=["blocking", "asyncio"])
@pytest.mark.parametrize(("scheme", "at", "words"), CASES.values(), ids=CASES)
async def test_who_cannot_reach_redis_is_told_why(
    kind, scheme, at, words, redis_server, authority, tmp_path
):
    with place(at, redis_server, authority, tmp_path) as address:
        publisher = kind.from_url(f"{scheme}://{address}", timeout_s=1)
        try:
            with pytest.raises(RedisUnavailable, match=words):
                await done(publisher.publish_records({"events": [{"id": 1}]}, group_id=7))
        finally:
            await done(publisher.close())


async def test_what_the_application_was_handling_is_not_the_reason(tmp_path):
    publisher = Publisher.from_url(f"unix://{tmp_path}/none.sock", timeout_s=1)
    try:
        socket.create_connection(("127.0.0.1", free_port()))  # the application's own affair
    except ConnectionRefusedError:
        with pytest.raises(RedisUnavailable, match="its socket, or a file for TLS, is not there"):
            publisher.ping()
