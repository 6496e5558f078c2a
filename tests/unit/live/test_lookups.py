"""An answer that was overtaken by an order is asked for again."""

import asyncio

import pytest

from channel_server.core.users import Identity
from channel_server.errors import RedisLost
from channel_server.live.lookups import LookUps, digest_of

pytestmark = pytest.mark.asyncio

ANN = Identity(5, (1,))


class Users:
    """Answers when told to."""

    def __init__(self):
        self.questions = []

    async def find(self, token):
        answer = asyncio.get_running_loop().create_future()
        self.questions.append((token, answer))
        return await answer

    def answer(self, identity):
        _, future = self.questions[-1]
        future.set_result(identity)


@pytest.fixture
def users():
    return Users()


@pytest.fixture
def look_ups(users):
    return LookUps(users)


async def ask(look_ups, token="t"):
    task = asyncio.get_running_loop().create_task(look_ups.find(token))
    await asyncio.sleep(0)
    return task


async def test_an_answer_is_an_answer(look_ups, users):
    asking = await ask(look_ups)

    users.answer(ANN)

    assert await asking is ANN
    assert not look_ups._under_way


async def test_an_order_about_the_user_repeats_the_look_up(look_ups, users):
    asking = await ask(look_ups)
    look_ups.user_changed(5)
    users.answer(ANN)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(users.questions) == 2
    changed = Identity(5, ())

    users.answer(changed)

    assert await asking is changed


async def test_an_order_between_the_answer_and_its_use_counts(look_ups, users):
    """The answer is there, and the task has not had its turn."""
    asking = await ask(look_ups)
    users.answer(ANN)
    look_ups.user_changed(5)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(users.questions) == 2

    users.answer(None)

    assert await asking is None


async def test_an_order_about_somebody_else_does_not(look_ups, users):
    asking = await ask(look_ups)
    look_ups.user_changed(6)
    look_ups.token_revoked(digest_of("other"))

    users.answer(ANN)

    assert await asking is ANN


async def test_a_token_that_is_revoked_meanwhile_is_looked_up_again(look_ups, users):
    asking = await ask(look_ups)
    look_ups.token_revoked(digest_of("t"))
    users.answer(ANN)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    users.answer(None)

    assert await asking is None


async def test_a_look_up_that_fails_is_forgotten(look_ups, users):
    asking = await ask(look_ups)
    users.questions[-1][1].set_exception(RedisLost("away"))

    with pytest.raises(RedisLost):
        await asking

    assert not look_ups._under_way
