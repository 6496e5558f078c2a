"""Too many requests from one address; and who says which address that is."""

import asyncio
import contextlib

import pytest

from tests.integration.program import Program

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

OPEN = "/socket.io/?EIO=4&transport=polling"


async def statuses(port, count, forwarded):
    """Send requests one after the other on one connection; return how they were answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    try:
        for _ in range(count):
            writer.write(
                f"GET {OPEN}&sid=x HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {forwarded}\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            found.append(int(head.split()[1]))
    finally:
        writer.close()
        with contextlib.suppress(ConnectionResetError):
            await writer.wait_closed()
    return found


async def test_a_thousand_polls_a_second_are_refused_and_others_served(redis_server, tmp_path):
    with Program(
        tmp_path, REDIS_URL=redis_server.url, TRUSTED_PROXIES="127.0.0.0/8", BOTS="0"
    ) as server:
        server.wait_ready()

        flood = await statuses(server.port, 1_000, "198.51.100.7")
        other = await statuses(server.port, 1, "198.51.100.8")

    # "Session ID unknown" as long as it is answered at all; a second has two windows at most.
    assert set(flood) == {400, 429}
    assert flood[:500] == [400] * 500
    assert flood.count(429) >= 1
    assert other == [400]


async def test_what_a_client_says_of_its_address_is_not_believed(redis_server, tmp_path):
    """It cannot make itself many by making addresses up: what it adds stands left of its own."""
    with Program(
        tmp_path,
        REDIS_URL=redis_server.url,
        TRUSTED_PROXIES="127.0.0.0/8",
        MAX_REQUESTS_PER_ADDRESS="10",
        BOTS="0",
    ) as server:
        server.wait_ready()

        found = [
            status
            for number in range(60)
            for status in await statuses(server.port, 1, f"192.0.2.{number}, 198.51.100.7")
        ]

    assert found.count(429) >= 1


async def test_without_trusted_proxies_nobody_is_told_apart(redis_server, tmp_path):
    """Behind an unknown proxy all clients share one address."""
    with Program(
        tmp_path, REDIS_URL=redis_server.url, MAX_REQUESTS_PER_ADDRESS="10", BOTS="0"
    ) as server:
        server.wait_ready()

        assert set(await statuses(server.port, 100, "198.51.100.7")) == {400}
