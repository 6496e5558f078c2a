"""A real homeserver: what arrives in its rooms, through faults of ours and of its own."""

import asyncio

import pytest

from channel_server.bots.messages import Bot
from tests.integration.program import run, until
from tests.matrix.relay import LOCAL, Relay, waiting
from tests.matrix.synapse import Synapse
from tests.matrix.writing import Writing

pytestmark = [pytest.mark.redis, pytest.mark.asyncio, pytest.mark.slow]


class House:
    """A homeserver with a bot, and somebody who reads what it writes."""

    def __init__(self, synapse):
        self.synapse = synapse
        self.bot = synapse.register("bot")
        self.reader = synapse.register("reader")

    def room(self, **options):
        """A room of the reader's."""
        return self.synapse.create_room(self.reader, **options)

    def room_with_bot(self):
        """A room that both are in."""
        room = self.room()
        self.synapse.join(self.bot, room)
        return room

    def config(self, room, **more):
        return {
            "server": self.synapse.url,
            "access_token": self.bot.token,
            "channel": room,
            **more,
        }

    def bot_with_token(self):
        return Bot(self.synapse.url, self.bot.token)

    def read(self, room):
        return self.synapse.messages(self.reader, room)

    def bodies(self, room):
        return [content["body"] for content in self.read(room)]

    def shows(self, room, *bodies, within_s=30):
        return until(
            lambda: self.bodies(room) == list(bodies), f"{bodies} in the room", within_s=within_s
        )


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    synapse = Synapse(tmp_path_factory.mktemp("synapse"))
    synapse.start()
    yield House(synapse)
    synapse.stop()


@pytest.mark.usefixtures("relay")
async def test_the_test_message(house, publisher):
    room = house.room_with_bot()
    publisher.chatbots.test(house.config(room))
    await house.shows(room, "Loomio bot connection test successful!")
    assert house.read(room)[0]["msgtype"] == "m.notice"


@pytest.mark.usefixtures("relay")
async def test_an_html_message(house, publisher):
    room = house.room_with_bot()
    html = "<p>Ann <b>commented</b></p><ul><li>one</li><li>two</li></ul>"
    publisher.chatbots.publish(house.config(room), html)
    await house.shows(room, "Ann commented\n\n * one\n * two")
    (content,) = house.read(room)
    assert content["formatted_body"] == html
    assert content["format"] == "org.matrix.custom.html"
    assert content["msgtype"] == "m.text"


@pytest.mark.usefixtures("relay")
async def test_an_alias_of_a_public_room_that_the_bot_is_not_in(house, publisher):
    room = house.room(alias="town-hall")
    publisher.chatbots.test(house.config("#town-hall:matrix.test"), "hello")
    await house.shows(room, "hello")


async def test_the_alias_of_a_room_that_was_upgraded(house):
    """Found by running against Synapse: a moderator's messages went to the old room for ten minutes."""
    old = house.room(alias="council")
    house.synapse.join(house.bot, old)
    house.synapse.promote(house.reader, old, house.bot)
    async with Writing(house.bot_with_token()) as writing:
        await writing.write("#council:matrix.test", "one")
        new = house.synapse.upgrade(house.reader, old)
        writing.now_s += 1.0
        await writing.write("#council:matrix.test", "two")
    assert house.bodies(old) == ["one"]
    assert house.bodies(new) == ["two"]


async def test_an_alias_that_was_moved_by_hand(house):
    """Found by running against Synapse: for ten minutes the old room got everything."""
    old, new = house.room(alias="market"), house.room_with_bot()
    async with Writing(house.bot_with_token()) as writing:
        await writing.write("#market:matrix.test", "one")
        house.synapse.move_alias(house.reader, "#market:matrix.test", new)
        writing.now_s += 60.0
        await writing.write("#market:matrix.test", "two")
    assert house.bodies(old) == ["one"]
    assert house.bodies(new) == ["two"]


@pytest.mark.usefixtures("relay")
async def test_a_public_room_by_its_id(house, publisher):
    room = house.room()
    publisher.chatbots.test(house.config(room), "hello")
    await house.shows(room, "hello")


@pytest.mark.usefixtures("relay")
async def test_a_private_room_with_an_invitation(house, publisher):
    room = house.room(is_public=False)
    house.synapse.invite(house.reader, room, house.bot)
    publisher.chatbots.test(house.config(room), "hello")
    await house.shows(room, "hello")


async def test_a_private_room_without_an_invitation(house, publisher, redis, relay):
    room = house.room(is_public=False)
    publisher.chatbots.test(house.config(room), "hello")
    await until(lambda: relay.lines("code=M_FORBIDDEN"), "a word about it")
    await until(lambda: waiting(redis) == 0, "an empty outbox")
    assert house.bodies(room) == []


async def test_a_wrong_token_and_an_unknown_alias(house, publisher, redis, relay):
    room = house.room_with_bot()
    publisher.chatbots.test(house.config(room, access_token="syt_wrong"), "lost")
    publisher.chatbots.test(house.config("#nowhere:matrix.test"), "lost")
    publisher.chatbots.test(house.config(room), "hello")
    await house.shows(room, "hello")
    await until(lambda: waiting(redis) == 0, "an empty outbox")
    assert relay.lines("code=M_UNKNOWN_TOKEN")
    assert relay.lines("code=M_NOT_FOUND")
    assert "syt_" not in relay.output()


@pytest.mark.usefixtures("relay")
async def test_the_homeserver_stops_and_starts_in_the_middle(house, publisher):
    room = house.room_with_bot()
    for number in range(5):
        publisher.chatbots.test(house.config(room), f"before {number}")
    await until(lambda: house.bodies(room), "the first message")
    house.synapse.stop()
    for number in range(5):
        publisher.chatbots.test(house.config(room), f"meanwhile {number}")
    await asyncio.to_thread(house.synapse.start)
    await house.shows(
        room, *(f"{when} {number}" for when in ("before", "meanwhile") for number in range(5))
    )


async def test_we_are_killed_all_the_time(house, publisher, redis, tmp_path):
    room = house.room_with_bot()
    expected = []

    async def publish_and_kill(turn):
        with Relay(tmp_path, redis) as relay:
            words = [f"{turn}{number}" for number in range(10)]
            for word in words:
                publisher.chatbots.test(house.config(room), word)
            expected.extend(words)
            # All are recorded; of those that were sent, some are not known to be.
            await until(lambda: words[0] in house.bodies(room), "the first one of this turn")
            await until(lambda: _recorded(redis) == len(expected), "all of them in the outbox")
            relay.kill()

    for turn in "abcd":
        await publish_and_kill(turn)
    with Relay(tmp_path, redis):
        await house.shows(room, *expected)


async def test_two_replicas_and_one_is_killed(house, publisher, redis, tmp_path):
    room = house.room_with_bot()
    with Relay(tmp_path, redis) as one, Relay(tmp_path, redis) as two:
        for number in range(20):
            publisher.chatbots.test(house.config(room), str(number))
        await until(lambda: house.bodies(room), "the first message")
        sender = one if one.lines("sending for bots") else two
        sender.kill()
        for number in range(20, 40):
            publisher.chatbots.test(house.config(room), str(number))
        await house.shows(room, *map(str, range(40)))
        await until(lambda: waiting(redis) == 0, "an empty outbox")
        assert len(house.bodies(room)) == 40


def _recorded(redis):
    """How many messages were ever added to the outbox."""
    with redis.client() as client:
        words = client.keys("{channel_server}:outbox:heard:*")
        return sum(int(client.hget(key, "times")) for key in words)


@pytest.mark.timeout(150)
async def test_a_burst_over_the_rate_limit(publisher, redis, tmp_path):
    folder = tmp_path / "synapse"
    folder.mkdir()
    synapse = Synapse(folder, is_limited=True)
    synapse.start()
    try:
        house = House(synapse)
        room = house.room_with_bot()
        with Relay(tmp_path, redis) as relay:
            for number in range(15):
                publisher.chatbots.test(house.config(room), str(number))
            await house.shows(room, *map(str, range(15)), within_s=120)
            (line,) = relay.lines("bot has to wait")
            assert "rate limit" in line
    finally:
        synapse.stop()


async def test_an_operator_sends_a_test(house):
    room = house.room_with_bot()

    def trial(room, token=house.bot.token, server=house.synapse.url, **settings):
        options = ("--server", server, "--room", room, "--message", "A trial")
        settings = LOCAL | {"MATRIX_ACCESS_TOKEN": token} | settings
        ended = run("bots", "send-test", *options, **settings)
        (line,) = (ended.stdout + ended.stderr).splitlines()
        assert token not in line
        return ended.returncode, line

    code, line = await asyncio.to_thread(trial, room)
    assert (code, line.partition("$")[0]) == (0, "sent: ")
    assert house.bodies(room) == ["A trial"]
    private = house.room(is_public=False)
    for arguments, settings, expected in (
        ((private,), {}, "or may not write there"),
        ((room, "syt_wrong"), {}, "does not know this access token"),
        (("#nowhere:matrix.test",), {}, "no such room"),
        (("nowhere",), {}, "neither #alias:server nor !id"),
        ((room,), {"MATRIX_ALLOWED_HOSTS": ""}, "MATRIX_ALLOWED_HOSTS"),
        ((room,), {"server": "https://nowhere.invalid"}, "looked up"),
        ((room,), {"server": "file:///etc"}, "server is not http"),
    ):
        code, line = await asyncio.to_thread(trial, *arguments, **settings)
        assert code == 1
        assert expected in line
