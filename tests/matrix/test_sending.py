"""What is sent, and where to."""

import asyncio

import pytest

from tests.integration.program import Program, until
from tests.matrix.homeserver import answering
from tests.matrix.relay import LOCAL, ROOM, TOKEN, Relay, arrived, config, patterns, waiting

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]


@pytest.mark.usefixtures("relay")
async def test_a_test_message_is_a_notice(publisher, fake, redis):
    publisher.chatbots.test(config(fake.url), "It works")
    await arrived(fake, "It works")
    assert fake.events == [(ROOM, {"msgtype": "m.notice", "body": "It works"})]
    (asked,) = fake.asked
    assert asked.token == TOKEN
    assert asked.path.startswith("/_matrix/client/v3/rooms/%21room%3Afake/send/m.room.message/")
    await until(lambda: waiting(redis) == 0, "an empty outbox")


@pytest.mark.usefixtures("relay")
async def test_html_is_sent_with_its_text(publisher, fake):
    html = '<h1>News</h1><p>See <a href="https://loomio.example/d/x">it</a></p>'
    publisher.chatbots.publish(config(fake.url), html)
    await until(lambda: fake.events, "an event")
    assert fake.events == [
        (
            ROOM,
            {
                "body": "NEWS\n\nSee it [https://loomio.example/d/x]",
                "msgtype": "m.text",
                "format": "org.matrix.custom.html",
                "formatted_body": html,
            },
        )
    ]


@pytest.mark.usefixtures("relay")
async def test_empty_html_is_sent_as_it_is(publisher, fake):
    publisher.chatbots.publish(config(fake.url), "")
    await until(lambda: fake.events, "an event")
    assert fake.events[0][1]["formatted_body"] == ""
    assert fake.events[0][1]["body"] == ""


@pytest.mark.usefixtures("relay")
async def test_an_alias_is_looked_up_once(publisher, fake):
    fake.aliases["#town/hall?:fake"] = ROOM
    for number in range(3):
        publisher.chatbots.test(config(fake.url, room="#town/hall?:fake"), str(number))
    await arrived(fake, "0", "1", "2")
    assert fake.paths("/directory/") == [
        "/_matrix/client/v3/directory/room/%23town%2Fhall%3F%3Afake"
    ]


@pytest.mark.usefixtures("relay")
async def test_a_proxy_that_fails_says_nothing_about_versions(publisher, fake):
    fake.faults.append(answering(502, text="<html>bad gateway</html>"))
    publisher.chatbots.test(config(fake.url), "one")
    await until(lambda: len(fake.asked) == 1, "the first attempt")
    fake.versions = {"r0"}
    await arrived(fake, "one")
    fake.versions = {"v3"}  # renewed, and the old version is gone
    publisher.chatbots.test(config(fake.url), "two")
    await arrived(fake, "one", "two")


@pytest.mark.usefixtures("relay")
async def test_an_alias_that_moves_is_looked_up_again(publisher, fake):
    fake.aliases["#hall:fake"] = "!old:fake"
    publisher.chatbots.test(config(fake.url, room="#hall:fake"), "one")
    await arrived(fake, "one")
    fake.closed.add("!old:fake")
    fake.aliases["#hall:fake"] = "!new:fake"
    publisher.chatbots.test(config(fake.url, room="#hall:fake"), "two")
    await arrived(fake, "one", "two")
    assert [room for room, _ in fake.events] == ["!old:fake", "!new:fake"]


@pytest.mark.usefixtures("relay")
async def test_an_old_homeserver_is_asked_in_its_own_version(publisher, fake):
    fake.versions = {"r0"}
    fake.aliases["#hall:fake"] = ROOM
    for body in ("one", "two"):
        publisher.chatbots.test(config(fake.url, room="#hall:fake"), body)
    await arrived(fake, "one", "two")
    assert len(fake.paths("/v3/")) == 1  # then it is known


@pytest.mark.usefixtures("relay")
async def test_a_bot_joins_a_room_that_it_is_not_in(publisher, fake):
    fake.outside.add(ROOM)
    publisher.chatbots.test(config(fake.url), "hello")
    publisher.chatbots.test(config(fake.url), "again")
    await arrived(fake, "hello", "again")
    assert len(fake.paths("/join/")) == 1


async def test_joining_can_be_switched_off(redis, publisher, fake, tmp_path):
    fake.outside.add(ROOM)
    with Relay(tmp_path, redis, MATRIX_AUTO_JOIN="0") as relay:
        publisher.chatbots.test(config(fake.url), "hello")
        await until(lambda: relay.lines("bot message refused"), "a word about it")
        assert fake.paths("/join/") == []
        assert "code=M_FORBIDDEN" in relay.lines("bot message refused")[0]


async def test_a_server_relays_too(redis, publisher, fake, tmp_path):
    """``serve`` with its default, beside ``bots``, and with BOTS=0."""
    (tmp_path / "serve").mkdir()
    settings = {"REDIS_URL": redis.url} | LOCAL
    with Program(tmp_path / "serve", BOTS="1", **settings) as server:
        await until(lambda: patterns(redis) == 1, "its subscription")
        publisher.chatbots.test(config(fake.url), "one")
        await arrived(fake, "one")
        with Relay(tmp_path, redis):
            publisher.chatbots.test(config(fake.url), "two")
            await arrived(fake, "one", "two")
            assert await asyncio.to_thread(server.stop) == 0
            publisher.chatbots.test(config(fake.url), "three")
            await arrived(fake, "one", "two", "three")
    with Program(tmp_path / "serve", BOTS="0", **settings) as server:
        server.wait_ready()
        assert patterns(redis) == 0
