"""What the application lets a client do, as long as the document is open."""

import asyncio

import pytest

from channel_server.collab.access import Ruling
from channel_server.collab.messages import Scope
from channel_server.collab.permit import Permit

pytestmark = pytest.mark.asyncio


class House:
    """Asks an application that answers when the test says so."""

    def __init__(self):
        self.access = self
        self.asked = []
        self.tasks = []

    async def ask(self, token, document, *, is_again=False):
        answer = asyncio.get_running_loop().create_future()
        self.asked.append((token, document, is_again, answer))
        return await answer

    def spawn(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.append(task)
        return task

    async def answer(self, ruling):
        """Answer the last question."""
        await asyncio.sleep(0)
        self.asked[-1][3].set_result(ruling)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.fixture
def house():
    return House()


@pytest.fixture
def told():
    return []


async def granted(house, told, token="7,secret", scope=Scope.READ_WRITE):
    permit = Permit(house, "d\0session", told.append)
    asking = house.spawn(permit.ask(token))
    await house.answer(Ruling(scope))
    assert asking.result() is scope
    permit.granted()
    return permit


@pytest.mark.parametrize(
    ("token", "user_id", "secret"),
    [
        ("7,secret", "7", "secret"),
        ("0,null", "0", "null"),
        ("007,secret", "007", "secret"),
        (" 7 ,secret", "7", "secret"),
        ("3f2a-9,secret", "3f2a-9", "secret"),
        ("no id!,secret", "", "secret"),
        ("7,secret,more", "7", "secret,more"),
        ("nobody", "", ""),
        ("", "", ""),
    ],
)
async def test_user_stands_before_the_first_comma(house, told, token, user_id, secret):
    permit = await granted(house, told, token)

    assert (permit.user_id, permit.secret) == (user_id, secret)


async def test_session_is_no_part_of_the_question(house, told):
    await granted(house, told)

    assert house.asked[0][:3] == ("7,secret", "d", False)


async def test_last_token_that_was_shown_counts(house, told):
    permit = await granted(house, told)
    for token in ("one", "two", "three"):
        permit.show(token)
    await house.answer(Ruling(Scope.READ_WRITE))
    permit.doubt()
    await house.answer(Ruling(None))

    assert [asked[0] for asked in house.asked] == ["7,secret", "three", "three"]
    assert told == [None]


async def test_doubt_before_the_client_is_in_is_looked_into_later(house, told):
    permit = Permit(house, "d", told.append)
    house.spawn(permit.ask("7,secret"))
    permit.doubt()
    await house.answer(Ruling(Scope.READ_WRITE))
    permit.doubt()
    assert len(house.asked) == 1

    permit.granted()
    await house.answer(Ruling(None))

    assert told == [None]


async def test_no_answer_changes_nothing(house, told):
    permit = await granted(house, told)
    permit.doubt()
    await house.answer(Ruling(None, is_certain=False))

    assert told == []


async def test_scope_that_changes_is_told(house, told):
    permit = await granted(house, told)
    for scope in (Scope.READ_ONLY, Scope.READ_ONLY, Scope.READ_WRITE):
        permit.doubt()
        await house.answer(Ruling(scope))

    assert told == [Scope.READ_ONLY, Scope.READ_WRITE]
    assert not permit.is_read_only


async def test_nobody_is_asked_about_who_is_gone(house, told):
    permit = await granted(house, told)
    permit.doubt()
    await asyncio.sleep(0)
    permit.end()
    await asyncio.wait(house.tasks)

    assert house.tasks[-1].cancelled()
    assert told == []
