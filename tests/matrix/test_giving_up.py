"""What is given up, with one line, and who notices."""

import pytest

from tests.integration.program import until
from tests.matrix.homeserver import answering
from tests.matrix.relay import ROOM, TOKEN, arrived, config, waiting

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        pytest.param(lambda fake: setattr(fake, "tokens", set()), "M_UNKNOWN_TOKEN", id="token"),
        pytest.param(lambda fake: fake.closed.add(ROOM), "M_FORBIDDEN", id="closed room"),
        pytest.param(
            lambda fake: setattr(fake, "always", answering(413, {"errcode": "M_TOO_LARGE"})),
            "M_TOO_LARGE",
            id="too large",
        ),
        pytest.param(
            lambda fake: setattr(fake, "always", answering(302, Location="http://127.0.0.1:1/")),
            "redirect",
            id="redirect",
        ),
        pytest.param(
            lambda fake: setattr(fake, "always", answering(400, {"errcode": f"M_{TOKEN} <x>"})),
            "not_matrix",
            id="strange code",
        ),
    ],
)
async def test_what_cannot_be_sent_is_given_up_with_one_line(
    relay, publisher, fake, redis, prepare, code
):
    prepare(fake)
    for number in range(3):
        publisher.chatbots.test(config(fake.url), f"secret words {number}")
    await until(lambda: waiting(redis) == 0 and relay.lines("refused"), "an empty outbox")
    (line,) = relay.lines("bot message refused")
    assert f"server={fake.url}" in line
    assert f"room={ROOM}" in line
    assert f"code={code}" in line
    assert fake.events == []
    assert TOKEN not in relay.output()
    assert "secret words" not in relay.output()


async def test_an_unknown_alias_is_given_up(relay, publisher, fake, redis):
    publisher.chatbots.test(config(fake.url, room="#nowhere:fake"), "x")
    await until(lambda: relay.lines("code=M_NOT_FOUND"), "a word about it")
    await until(lambda: waiting(redis) == 0, "an empty outbox")


@pytest.mark.usefixtures("relay")
async def test_one_bad_bot_delays_nobody(publisher, fake):
    fake.always = None
    fake.tokens = {"good"}
    for number in range(10):
        publisher.chatbots.test(config(fake.url, token="bad"), "lost")
        publisher.chatbots.test(config(fake.url, token="good"), str(number))
    await arrived(fake, *map(str, range(10)))


async def test_one_room_that_cannot_be_reached_delays_no_other_of_the_bot(relay, publisher, fake):
    """Found by a newcomer: an alias on a server that is down answers 502."""
    fake.broken_aliases.add("#far:away")
    publisher.chatbots.test(config(fake.url, room="#far:away"), "later")
    publisher.chatbots.test(config(fake.url), "now")
    await arrived(fake, "now")
    await until(lambda: relay.lines("HTTP 502"), "a word about it")
    fake.broken_aliases.clear()
    fake.aliases["#far:away"] = "!far:away"
    await arrived(fake, "now", "later")
