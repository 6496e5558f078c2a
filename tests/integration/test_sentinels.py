"""Redis behind Sentinels, all real: whichever is the primary, servers and publishers find it."""

import asyncio
import contextlib
import functools
from pathlib import Path

import pytest
import pytest_asyncio
import trustme

from publisher import AsyncPublisher, Publisher, PublishError, RedisUnavailable
from publisher.contract.journal import JOURNAL
from tests.faults.pair import Pair
from tests.faults.sentinels import NAME, House, Sentinel
from tests.integration.both import done
from tests.integration.pages import WAITS_MS, pages_of
from tests.integration.program import Program, run, until
from tests.integration.site import Site
from tests.servers import redis_binary, wait_until

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]


@pytest.fixture
def house(tmp_path_factory, new_redis_server):
    with House(tmp_path_factory.mktemp("sentinels"), Pair(new_redis_server)) as house:
        yield house


def kill(house):
    house.primary.kill()


def fail_over(house):
    house.sentinels[0].fail_over()


def pause(house):
    house.primary.pause()


EVENTS = {"killed": kill, "asked to change": fail_over, "paused": pause}


@pytest_asyncio.fixture(params=[Publisher, AsyncPublisher], ids=["blocking", "asyncio"])
async def publisher(request, house):
    publisher = request.param.from_url(house.url, timeout_s=1.0)
    yield publisher
    await done(publisher.close())


def is_primary(redis):
    with redis.client() as raw:
        return raw.info("replication")["role"] == "master"


@pytest.mark.serial
@pytest.mark.parametrize("event", EVENTS)
async def test_every_call_that_returned_is_received(house, publisher, tmp_path, event):
    """And the server is ready again at most two seconds after there is a new primary."""
    settings = {"REDIS_URL": house.url, "PROBE_SECONDS": "1", "PLAIN_PUBLISHERS": "0"}
    with Program(tmp_path, **settings) as server:
        server.wait_ready()
        account = await done(publisher.tokens.issue({"id": 5, "name": "Ann"}, group_ids=[7]))
        async with pages_of(server.port) as pages:
            page = await pages.enter(account)
            sent = await publish_through(house, publisher, EVENTS[event])

            await until(server.is_ready, "the server is ready", within_s=2.0)
            await done(publisher.publish_records({"events": [{"id": 0}]}, group_id=7))
            heard = set()
            while 0 not in heard:
                packet = (await page.got(1, WAITS_MS))[0]
                heard |= {number for number in (*sent, 0) if b'"id":%d}' % number in packet}

        assert set(sent) <= heard
        assert "Traceback" not in server.output()


async def publish_through(house, publisher, event):
    """Publish before, during and after an event. Return the numbers whose calls returned."""
    sent = []
    has_happened = False
    number, last = 0, None
    while last is None or number < last:
        number += 1
        with contextlib.suppress(PublishError):
            await done(publisher.publish_records({"events": [{"id": number}]}, group_id=7))
            sent.append(number)
        if number == 20:
            await asyncio.to_thread(event, house)
            has_happened = True
        if last is None and has_happened and await asyncio.to_thread(is_primary, house.replica):
            last = number + 20
        await asyncio.sleep(0.01)
    assert len(sent) >= 20
    return sent


async def test_one_sentinel_is_enough_to_ask(house, publisher, tmp_path):
    for sentinel in house.sentinels[:2]:
        sentinel.kill()
    with Program(tmp_path, REDIS_URL=house.url) as server, house.primary.client() as raw:
        server.wait_ready()
        site = Site(raw)
        account = site.sign_in()
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token)
            user_id = int(account.room.removeprefix("user-"))
            assert await done(publisher.publish_records({"events": []}, user_id=user_id)) == 1
            assert b'"events":[]' in (await page.got())[0]


async def test_a_sentinel_that_says_nothing_holds_nobody_up(house, publisher, tmp_path):
    """The first one, and a second is all the time that there is."""
    house.sentinels[0].pause()
    with Program(tmp_path, REDIS_URL=house.url, PROBE_SECONDS="1") as server:
        server.wait_ready()
        assert await done(publisher.publish_records({"events": []}, user_id=1)) == 1


@pytest.mark.serial
async def test_a_planned_change_is_followed_before_the_old_primary_is_told(house, tmp_path):
    """Sentinels tell it ten seconds later: new publishers reached no client until then."""
    settings = {"REDIS_URL": house.url, "PROBE_SECONDS": "1", "PLAIN_PUBLISHERS": "0"}
    with Program(tmp_path, **settings) as server, Publisher.from_url(house.url) as publisher:
        server.wait_ready()
        token = publisher.tokens.issue({"id": 5, "name": "Ann"}, group_ids=[7])
        async with pages_of(server.port) as pages:
            page = await pages.enter(token)
            house.sentinels[0].fail_over()
            await until(lambda: is_primary(house.replica), "it has taken over", within_s=15)
            with Publisher.from_url(house.url) as fresh:
                fresh.publish_records({"events": [{"id": 92}]}, group_id=7)

            moved = functools.partial(server.lines, "no longer has our keys")
            await until(moved, "the server has moved", within_s=5)
            assert b'"id":92' in (await page.got(1, WAITS_MS))[0]


async def test_a_sentinel_that_knows_less_is_passed_over(house, tmp_path):
    """It names what is a replica by now: nobody asked the others."""
    ignorant = Sentinel(tmp_path, house.ports[1])
    wait_until(ignorant.is_up, within_s=15, what="it answers")
    with house.replica.client() as replica, contextlib.ExitStack() as stack:
        stack.callback(ignorant.kill)
        url = house.url.replace("://", f"://127.0.0.1:{ignorant.port},")
        assert replica.info("replication")["role"] == "slave"

        found = run("doctor", REDIS_URL=url)
        for kind in (Publisher, AsyncPublisher):
            publisher = kind.from_url(url)
            await done(publisher.publish_records({"events": []}, user_id=1))
            await done(publisher.close())

    assert "✓ Redis" in found.stdout


async def test_what_is_no_sentinel_is_passed_over(house):
    """Its refusal was taken for one of scripts: the journal was off as long as the publisher lived."""
    with house.primary.client() as raw:
        port = raw.config_get("port")["port"]
    url = house.url.replace("://", f"://127.0.0.1:{port},")

    with Publisher.from_url(url) as publisher:
        publisher.publish_records({"events": []}, user_id=1)

    with house.primary.client() as raw:
        assert raw.xlen(JOURNAL) >= 1


async def test_a_wrong_name_is_told(house):
    url = house.url.replace(f"/{NAME}/", "/other/")

    found = run("doctor", REDIS_URL=url)
    with (
        Publisher.from_url(url) as publisher,
        pytest.raises(RedisUnavailable, match="no Sentinel knows of a primary of this name"),
    ):
        publisher.publish_records({"events": []}, user_id=1)

    assert "3 Sentinels asked: no such primary is up" in found.stdout
    assert "the name of the primary" in found.stdout


async def test_sentinels_may_have_a_password_of_their_own(tmp_path, new_redis_server):
    with House(tmp_path, Pair(new_redis_server), password="secret") as house:
        found = run("doctor", REDIS_URL=house.url)
        wrong = run("doctor", REDIS_URL=house.url.replace("secret", "wrong"))
        with Publisher.from_url(house.url) as publisher:
            publisher.tokens.issue({"id": 5, "name": "Ann"}, group_ids=[])

    assert "✓ Redis" in found.stdout
    assert "does not let us in" in wrong.stdout
    assert "secret" not in found.stdout
    assert "wrong" not in wrong.stdout


@pytest.fixture
def tls(tmp_path):
    """Settings of a Redis that speaks nothing but TLS, and a certificate."""
    if b"libssl" not in Path(redis_binary()).read_bytes():
        pytest.skip("this Redis is built without TLS; make redis tries Debian's in CI")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    return {
        "tls-ca-cert-file": f"{tmp_path}/ca.pem",
        "tls-cert-file": f"{tmp_path}/certificate.pem",
        "tls-key-file": f"{tmp_path}/key.pem",
        "tls-auth-clients": "no",
        "tls-replication": "yes",
    }


@pytest.mark.parametrize("kind", [Publisher, AsyncPublisher])
async def test_sentinels_and_redis_may_speak_tls(tmp_path, new_redis_server, tls, kind):
    with House(tmp_path, Pair(new_redis_server, tls)) as house:
        found = run("doctor", REDIS_URL=house.url)
        for _ in range(30):  # tickets of TLS 1.3 made some of them fail
            publisher = kind.from_url(house.url)
            with house.primary.listen("/records") as listener:
                assert await done(publisher.publish_records({"events": []}, group_id=7)) == 1
                assert len(listener.heard()) == 1
            await done(publisher.close())
        plain, _, _ = house.url.partition("?")
        publisher = kind.from_url(plain, ssl_ca_certs=tls["tls-ca-cert-file"])
        assert await done(publisher.ping()) >= 0
        await done(publisher.close())

    assert "✓ Redis" in found.stdout


async def test_when_all_sentinels_are_gone_who_is_connected_stays(house, tmp_path):
    with Program(tmp_path, REDIS_URL=house.url) as server, house.primary.client() as raw:
        server.wait_ready()
        site = Site(raw)
        account = site.sign_in()
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token)
            for sentinel in house.sentinels:
                sentinel.kill()
            assert [site.publish(account.room)] == await page.got()
    found = run("doctor", REDIS_URL=house.url)
    assert "3 Sentinels asked: ConnectionRefusedError" in found.stdout
