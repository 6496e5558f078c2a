"""Tokens, names, message bodies and passwords never reach the log, whatever goes wrong."""

import pytest

from tests.faults.link import Link
from tests.integration.pages import pages_of
from tests.integration.program import Program, until
from tests.integration.site import Site, new_id

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

TOKEN = "planted-token"
NAME = "Planted Person"
BODY = "planted body"
PASSWORD = "planted-password"
PLANTED = (TOKEN, NAME, BODY, PASSWORD, "planted")


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_no_secret_is_logged_in_traffic_trouble_and_shutdown(
    new_redis_server, tmp_path, log_format
):
    redis_server = new_redis_server("--requirepass", PASSWORD, password=PASSWORD)
    with Link(redis_server.socket) as link, redis_server.client() as connection:
        site = Site(connection)
        with Program(
            tmp_path,
            REDIS_URL=f"redis://default:{PASSWORD}@127.0.0.1:{link.port}",
            LOG_FORMAT=log_format,
            LOOKUP_SECONDS="1",
        ) as server:
            server.wait_ready()
            async with pages_of(server.port) as pages:
                await traffic(site, pages)
                await bad_clients(pages)
                await trouble(redis_server, link, pages)
                await until(lambda: server.lines("Redis lost"), "the trouble is logged")

            assert server.stop() == 0

    assert len(server.lines("malformed message")) == 1
    for secret in PLANTED:
        assert secret not in server.output()


async def traffic(site, pages):
    """A signed-in user, good and bad messages, and a stored user that is none."""
    user = new_id()
    site.store(TOKEN, f'{{"name":"{NAME}","group_ids":[7],"id":{user}}}'.encode())
    site.store(f"{TOKEN}-broken", f'{{"name":"{NAME}", planted'.encode())
    opened = [await pages.enter(TOKEN, each) for each in ("polling", "websocket")]
    await pages.enter(f"{TOKEN}-broken")
    packet = site.publish(f"user-{user}", BODY)
    site.publish(None, BODY)
    site.publish_raw(f'{{"room":"user-{user}","body":"{BODY}" planted'.encode())
    site.publish_raw(b'{"planted":"\xff planted"}')
    notice = site.publish_notice(BODY)
    assert [await page.got(2) for page in opened] == [[packet, notice]] * 2


async def bad_clients(pages):
    """Requests and packets that nobody should send, each with a secret in it."""
    client = pages.client
    query = f"EIO=4&transport=polling&channel_token={TOKEN}"
    for method, target, body in (
        ("GET", f"{query}&sid=planted", None),
        ("GET", f"EIO=3&transport=polling&channel_token={TOKEN}", None),
        ("GET", f"EIO=4&transport=websocket&channel_token={TOKEN}", None),
        ("POST", query, f"4{BODY}".encode()),
        ("DELETE", query, None),
        ("GET", f"{query}{'&planted=x' * 2_000}", None),
    ):
        assert 400 <= (await client.ask(method, target, body)).status < 500
    for packet in ('42["planted",{}]', "42planted", "9planted", f'40{{"token":"{TOKEN}"'):
        page = await pages.open(TOKEN)
        await page.talk.send(packet)
        assert await page.closed() == []
    for junk in (
        f"GET /?channel_token={TOKEN} planted HTTP/9.9\r\n\r\n",
        f"planted {TOKEN}\r\n\r\n",
        f"GET /nowhere?channel_token={TOKEN} HTTP/1.1\r\nHost: planted\r\nX\r\n\r\n",
    ):
        link = await client.link()
        await link.send(junk.encode())
        await link.verdict()


async def trouble(redis_server, link, pages):
    """A look-up that fails, and connections that break."""
    page = await pages.open(TOKEN)
    redis_server.pause()
    await page.ask()
    assert await page.closed() == []
    redis_server.resume()
    link.cut()
