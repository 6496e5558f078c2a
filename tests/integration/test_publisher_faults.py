"""What can go wrong between us and Redis, and what the caller is told about it.

The promise: a command goes out at most once, and ``maybe_sent`` is False only if it is certain
that Redis did not execute it.
"""

import asyncio
import socket
import threading

import pytest
import pytest_asyncio

from publisher import (
    AsyncPublisher,
    BatchIncomplete,
    Publisher,
    PublishError,
    RedisRefused,
    RedisUnavailable,
    ReplyLost,
)
from publisher.batch import Batch
from publisher.deadline import begin
from tests.faults.link import Link
from tests.integration.both import done, pool_of

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

RECORDS = {"events": [{"id": 91}]}
BRIEF_S = 0.3  # long enough for a healthy Redis, short enough to wait for


@pytest_asyncio.fixture(params=[Publisher, AsyncPublisher], ids=["blocking", "asyncio"])
async def connect(request):
    """Make publishers of one kind: ``connect(url, timeout_s=...)``. They are closed at the end."""
    made = []

    def make(url, **options):
        made.append(request.param.from_url(url, **options))
        return made[-1]

    yield make
    for publisher in made:
        await done(publisher.close())


async def publish(publisher):
    return await done(publisher.publish_records(RECORDS, group_id=7))


async def test_no_redis_at_all_is_certain(connect, tmp_path):
    publisher = connect(f"unix://{tmp_path}/none.sock")

    with pytest.raises(RedisUnavailable, match="nothing was sent") as caught:
        await publish(publisher)

    assert type(caught.value) is RedisUnavailable
    assert caught.value.maybe_sent is False


async def test_tls_that_is_not_answered_is_certain(connect):
    """The kernel takes the connection, and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        publisher = connect(f"rediss://127.0.0.1:{port}", timeout_s=BRIEF_S)

        with pytest.raises(RedisUnavailable) as caught:
            await publish(publisher)

    assert caught.value.maybe_sent is False


async def test_redis_that_appears_between_two_attempts_is_reached(connect, redis_server, tmp_path):
    """Trying again is safe until something was written, and bridges a short absence."""
    address = tmp_path / "late.sock"
    publisher = connect(f"unix://{address}")
    appearance = threading.Timer(0.01, address.symlink_to, [redis_server.socket])
    appearance.start()

    assert await publish(publisher) == 0
    appearance.join()


async def test_restarted_redis_gets_the_next_message_once(connect, new_redis_server):
    server = new_redis_server()
    publisher = connect(server.url)
    await publish(publisher)

    server.kill()
    server.start()

    with server.listen("/records") as listener:
        assert await publish(publisher) == 1
        assert len(listener.heard()) == 1


async def test_killed_redis_is_certain_if_it_was_killed_before(connect, new_redis_server):
    server = new_redis_server()
    publisher = connect(server.url)
    await publish(publisher)

    server.kill()

    with pytest.raises(RedisUnavailable) as caught:
        await publish(publisher)
    assert caught.value.maybe_sent is False


async def test_stale_connection_is_replaced_and_the_message_arrives_once(connect, redis_server):
    """Redis closes idle clients (`timeout`), and so do proxies.

    The blocking calls of this test keep the event loop from reading the end of the connection,
    as a busy program does: found with this test, redis.asyncio then wrote into the void.
    """
    publisher = connect(redis_server.url)
    await publish(publisher)
    with redis_server.listen("/records") as listener, redis_server.client() as admin:
        killed = admin.client_kill_filter(_type="normal", skipme=True)

        assert killed >= 1
        assert await publish(publisher) == 1
        assert len(listener.heard()) == 1


async def test_silent_redis_may_have_executed_it(connect, new_redis_server):
    """It did: paused and resumed, it delivers what was written. Exactly once: no retry."""
    server = new_redis_server()
    publisher = connect(server.url, timeout_s=BRIEF_S)
    await publish(publisher)
    with server.listen("/records") as listener:
        server.pause()

        with pytest.raises(ReplyLost) as caught:
            await publish(publisher)
        server.resume()

        assert caught.value.maybe_sent is True
        assert len(listener.heard()) == 1


CALLS = {
    "answer": lambda publisher: publisher.publish_records(RECORDS, group_id=7),
    "batch": lambda publisher: publisher.publish_batch(batch_of_three()),
    "token": lambda publisher: publisher.tokens.revoke_user(5),
}


def within(seconds, call, publisher):
    """Wait so long for a call, in a thread if it blocks."""
    waiting = (
        asyncio.to_thread(call, publisher) if isinstance(publisher, Publisher) else call(publisher)
    )
    return asyncio.wait_for(waiting, seconds)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("is_connected", [True, False], ids=["answer", "login"])
async def test_a_call_takes_its_time_and_no_more(connect, new_redis_server, call, is_connected):
    """A stalled Redis held one call for three times as long: each attempt had all the time."""
    server = new_redis_server()
    url = server.url if is_connected else server.url.replace("unix://", "unix://:pw@")
    publisher = connect(url, timeout_s=1.0)
    if is_connected:
        await publish(publisher)
    server.pause()
    try:
        with pytest.raises(PublishError):
            await within(2.0, CALLS[call], publisher)
    finally:
        server.resume()


async def test_sentinels_that_say_nothing_take_the_time_of_the_call_and_no_more(
    connect, new_redis_server
):
    server = new_redis_server()
    with Link(server.socket) as link:
        hosts = ",".join([f"127.0.0.1:{link.port}"] * 5)
        publisher = connect(f"redis+sentinel://{hosts}/primary", timeout_s=1.0)
        server.pause()
        try:
            with pytest.raises(RedisUnavailable):
                await within(2.0, CALLS["answer"], publisher)
        finally:
            server.resume()


async def test_late_answer_reaches_nobody(connect, new_redis_server):
    """The answer to the lost command was 1; the next one, on a new connection, is its own."""
    server = new_redis_server()
    publisher = connect(server.url, timeout_s=BRIEF_S, pool_size=1)
    await publish(publisher)
    with server.listen("/records"):
        server.pause()
        with pytest.raises(ReplyLost):
            await publish(publisher)
        server.resume()

        assert await done(publisher.tokens.revoke("unknown")) is False


async def test_redis_that_is_silent_at_login_is_certain(connect, new_redis_server):
    """With a password the silence comes before the command."""
    server = new_redis_server("--requirepass", "secret", password="secret")
    publisher = connect(server.url, timeout_s=BRIEF_S)
    server.pause()

    with pytest.raises(RedisUnavailable) as caught:
        await publish(publisher)
    server.resume()

    assert caught.value.maybe_sent is False


async def test_wrong_password_is_refused_and_not_quoted(connect, new_redis_server):
    server = new_redis_server("--requirepass", "right", password="right")
    server.password = None
    publisher = connect(f"{server.url}?password=s3cret")
    server.password = "right"

    with pytest.raises(RedisRefused, match="password in the Redis URL") as caught:
        await publish(publisher)

    assert caught.value.code == "WRONGPASS"
    assert caught.value.maybe_sent is False
    assert "s3cret" not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


async def test_missing_password_is_refused(connect, new_redis_server):
    server = new_redis_server("--requirepass", "right", password="right")
    publisher = connect(f"unix://{server.socket}")

    with pytest.raises(RedisRefused) as caught:
        await publish(publisher)

    assert caught.value.code == "NOAUTH"


async def test_database_that_does_not_exist_is_refused(connect, redis_server):
    """And stays refused: a connection that stands, but in database 0, must not be kept."""
    publisher = connect(f"{redis_server.url}?db=999")

    for _ in range(2):
        with pytest.raises(RedisRefused):
            await done(publisher.tokens.revoke("unknown"))


@pytest.mark.parametrize(
    ("setting", "code"), [("maxmemory", "OOM"), ("min-replicas-to-write", "NOREPLICAS")]
)
async def test_redis_that_takes_no_writes_refuses_and_goes_on(
    connect, new_redis_server, setting, code
):
    """A token cannot be stored, and nothing of it is; what needs no write still works."""
    server = new_redis_server()
    publisher = connect(server.url, journal=False)
    with server.client() as admin:
        admin.config_set(setting, 1)

        with pytest.raises(RedisRefused) as caught:
            await done(publisher.tokens.issue({"id": 1, "name": "Ann"}, group_ids=[]))

        assert caught.value.code == code
        assert caught.value.maybe_sent is False
        assert admin.dbsize() == 0
    assert await publish(publisher) == 0


async def test_connection_with_an_error_reply_is_closed(connect, new_redis_server):
    """Whatever went wrong on it, the next command begins with a clean one."""
    server = new_redis_server()
    publisher = connect(server.url, pool_size=1, journal=False)
    with server.client() as admin:

        def connected():
            return {client["id"] for client in admin.client_list()}

        admin.config_set("maxmemory", 1)
        await publish(publisher)
        before = connected()
        with pytest.raises(RedisRefused):
            await done(publisher.tokens.issue({"id": 1, "name": "Ann"}, group_ids=[]))
        await publish(publisher)

        assert connected() != before


async def test_reply_that_quotes_the_command_is_not_quoted(connect, new_redis_server):
    """A Redis without PUBLISH answers with the arguments of the command it does not know."""
    server = new_redis_server("--rename-command", "PUBLISH", "")
    publisher = connect(server.url, journal=False)

    with pytest.raises(RedisRefused) as caught:
        await done(publisher.publish_records({"secret": "s3cret"}, group_id=7))

    assert "s3cret" not in repr(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


async def test_exhausted_pool_is_certain(connect, redis_server):
    """The only connection is taken by hand, so that the test needs no timing."""
    publisher = connect(redis_server.url, pool_size=1, timeout_s=BRIEF_S)
    pool = pool_of(publisher)
    begin(BRIEF_S)
    taken = await done(pool.get_connection())

    with pytest.raises(RedisUnavailable, match="pool size") as caught:
        await publish(publisher)
    await done(pool.release(taken))

    assert caught.value.maybe_sent is False
    assert await publish(publisher) == 0


def batch_of_three():
    batch = Batch()
    for user_id in (1, 2, 3):
        batch.publish_records(RECORDS, user_id=user_id)
    return batch


async def publish_batch(publisher):
    await done(publisher.publish_batch(batch_of_three()))


async def test_a_batch_that_finds_no_connection_is_unsent(connect, redis_server):
    publisher = connect(redis_server.url, pool_size=1, timeout_s=BRIEF_S)
    pool = pool_of(publisher)
    begin(BRIEF_S)
    taken = await done(pool.get_connection())

    with pytest.raises(BatchIncomplete, match="pool size") as caught:
        await publish_batch(publisher)
    await done(pool.release(taken))

    assert (caught.value.sent, caught.value.unsent) == ((), (0, 1, 2))
    assert caught.value.maybe_sent is False


async def test_a_batch_that_is_not_answered_may_have_been_sent_and_is_sent_once(
    connect, new_redis_server
):
    server = new_redis_server()
    publisher = connect(server.url, timeout_s=BRIEF_S)
    await publish_batch(publisher)
    with server.listen("/records") as listener:
        server.pause()

        with pytest.raises(BatchIncomplete) as caught:
            await publish_batch(publisher)
        server.resume()

        assert (caught.value.sent, caught.value.unsent) == ((), ())
        assert caught.value.maybe_sent is True
        assert len(listener.heard()) == 3


async def test_failures_use_up_no_connection(connect, new_redis_server):
    """A pool of one survives more failures than it has connections."""
    server = new_redis_server()
    publisher = connect(server.url, pool_size=1, timeout_s=BRIEF_S)
    server.kill()
    for _ in range(3):
        with pytest.raises(RedisUnavailable):
            await publish(publisher)
    server.start()

    assert await publish(publisher) == 0


async def test_cancelled_publish_leaves_no_answer_behind(new_redis_server):
    """The answer to the cancelled command is 1; nobody else may get it."""
    server = new_redis_server()
    async with AsyncPublisher.from_url(server.url, pool_size=1) as publisher:
        await publish(publisher)
        with server.listen("/records") as listener:
            server.pause()
            task = asyncio.create_task(publisher.publish_records(RECORDS, group_id=7))
            await asyncio.sleep(0)  # one step: on a standing connection it writes, then waits
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            server.resume()

            assert await publisher.tokens.revoke("unknown") is False
            assert len(listener.heard()) == 1, "it was not cancelled after the write"


@pytest.mark.parametrize("steps", range(12))
async def test_cancelled_at_any_step_gives_its_connection_back(redis_server, steps):
    """From the first step of connecting to the last of releasing, and twice in a row."""
    async with AsyncPublisher.from_url(f"{redis_server.url}?db=1", pool_size=1) as publisher:
        task = asyncio.create_task(publisher.publish_records(RECORDS, group_id=7))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

        assert await publisher.tokens.revoke("unknown") is False
