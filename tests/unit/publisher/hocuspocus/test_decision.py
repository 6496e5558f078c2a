"""Who may open a document: Rails' own vectors, and whatever a client may send instead."""

import asyncio
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.hocuspocus import EditableType, authorize, authorize_async

ANN = {"id": 5, "secret_token": "s3cret"}
SECRET = "5,s3cret"


def find_user(user_id):
    return ANN if user_id == 5 else None


def can_edit(user, kind, record_id):
    return user is ANN and record_id == 12 and kind is not EditableType.USER


def decide(secret, name):
    options = {"find_user": find_user, "can_edit": can_edit}
    decision = authorize(secret, name, **options)
    assert asyncio.run(authorize_async(secret, name, **options)) == decision
    return decision


@pytest.mark.parametrize(
    ("secret", "name", "status"),
    [
        (SECRET, "comment-new-5-1-1-1", 200),
        ("5,wrong", "comment-new-5-1-1-1", 401),
        ("6,s3cret", "comment-new-5-1-1-1", 401),
        ("5,\ud800", "comment-new-5-1-1-1", 401),
        (SECRET, "comment-new-6-1-1-1", 401),
        (SECRET, "discussion-12-description", 200),
        (SECRET, "discussion-13-description", 401),
        (SECRET, "user-12-short_bio", 401),
        ("0,anything", "group-new-x", 200),
        ("0,anything", "discussion-new-x", 401),
        ("0,anything", "group-12-description", 401),
        *((SECRET, f"{kind.value}-new-5", 200) for kind in EditableType),
    ],
)
def test_the_rules(secret, name, status):
    decision = decide(secret, name)

    assert decision.status == status
    assert decision.is_allowed is (status == 200)


@pytest.mark.parametrize(
    ("secret", "name"),
    [
        (None, "comment-12"),
        (SECRET, None),
        (7, "comment-12"),
        (SECRET, ["comment-12"]),
        ("", "comment-12"),
        (SECRET, ""),
        ("5", "comment-12"),
        (SECRET, "comment"),
        (SECRET, "comment-"),
        (SECRET, "poll_template-12"),
        (SECRET, "Comment-12"),
        (SECRET, "x" * 2_000),
    ],
)
def test_what_is_malformed_is_said_to_be(secret, name):
    assert decide(secret, name).status == 400


@pytest.mark.parametrize(
    ("secret", "name"),
    [
        ("5,", "comment-12"),
        (",s3cret", "comment-12"),
        ("05,s3cret ", "comment-12"),
        ("5 ,s3cret", "comment-12"),
        ("²,s3cret", "comment-12"),
        ("-5,s3cret", "comment-12"),
        (f"{'9' * 400},s3cret", "comment-12"),
        (SECRET, "comment-12a"),
        (SECRET, "comment--12"[:9] + "²"),
        (SECRET, "comment-new"),
        (SECRET, "comment-new-5x"),
    ],
)
def test_what_only_looks_right_is_refused(secret, name):
    assert decide(secret, name).status in {400, 401}
    assert not decide(secret, name).is_allowed


UUID = uuid.UUID("3f2a0b1c-0000-4000-8000-0000000000ff")


@pytest.mark.parametrize(
    ("id_type", "user_id"),
    [(uuid.UUID, UUID), (str, str(UUID)), (str, "a-b"), (str, "3"), (str, "3-a")],
)
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("comment-{id}-body", 200),
        ("comment-{id}-", 200),
        ("comment-new-{id}-body", 200),
        ("comment-new-{id}", 401),
        ("comment-new-{id}-lead-body", 401),
        ("comment-new-{id}1-body", 401),
        ("comment-new-4-body", 401),
        ("comment-4-body", 401),
        ("comment-{id}-body-more", 401),
        ("comment-{id}0-body", 401),
    ],
)
def test_ids_may_be_texts_with_hyphens(id_type, user_id, name, status):
    """A document's type ends at the first hyphen, and its field begins at the last."""
    user = {"id": user_id, "secret_token": "s,3"}

    decision = authorize(
        f"{user_id},s,3",
        name.format(id=user_id),
        find_user={user_id: user}.get,
        can_edit=lambda who, _, record_id: who is user and record_id == user_id,
        id_type=id_type,
    )

    assert decision.status == status


@pytest.mark.parametrize("text", [str(UUID).upper(), f"{{{UUID}}}", UUID.hex, "é", "a b", "", "3"])
def test_an_id_is_what_its_type_writes(text):
    """UUID() reads many spellings, int() reads ``1_0``: one of them only is the id."""
    asked = []

    decision = authorize(
        f"{text},s",
        "comment-1-body",
        find_user=asked.append,
        can_edit=asked.append,
        id_type=uuid.UUID,
    )

    assert (decision.status, asked) == (401, [])


@pytest.mark.parametrize("text", ["1_0", " 1", "+1", "01", "\u0661", str(2**63), "x" * 65])
def test_applications_with_numbers_are_asked_about_numbers(text):
    asked = []

    decision = authorize(f"{text},s", "comment-1", find_user=asked.append, can_edit=asked.append)

    assert (decision.status, asked) == (401, [])


@pytest.mark.parametrize("token", [None, ""])
def test_a_user_without_a_secret_is_nobody(token):
    decision = authorize(
        "5,",
        "comment-new-5",
        find_user=lambda _: {"id": 5, "secret_token": token},
        can_edit=lambda *_: True,
    )

    assert decision.status == 401


async def find_later(user_id):
    return find_user(user_id)


async def may_later(*question):
    return can_edit(*question)


@pytest.mark.parametrize(
    ("functions", "words"),
    [
        ({"can_edit": lambda *_: "yes, probably"}, "can_edit must return a bool, not str"),
        ({"can_edit": may_later}, "can_edit is a coroutine function: use authorize_async"),
        ({"find_user": find_later}, "find_user is a coroutine function: use authorize_async"),
    ],
    ids=["text", "coroutine", "user later"],
)
def test_only_a_plain_yes_is_a_yes(functions, words):
    """Whoever asked was let in nowhere, and nobody was told why."""
    functions = {"find_user": find_user, "can_edit": can_edit} | functions

    with pytest.raises(TypeError, match=words):
        authorize(SECRET, "comment-12", **functions)


def test_nothing_is_no():
    decision = authorize(SECRET, "comment-12", find_user=find_user, can_edit=lambda *_: None)

    assert decision.status == 401


def test_functions_may_be_coroutines():
    async def find(user_id):
        return find_user(user_id)

    async def may(*question):
        return can_edit(*question)

    found = authorize_async(SECRET, "poll-12", find_user=find, can_edit=may)
    assert asyncio.run(found).is_allowed


def test_a_reason_quotes_no_secret():
    for secret in (SECRET, "5,wrong", "wrong"):
        assert "s3cret" not in decide(secret, "comment-13").reason
        assert "wrong" not in decide(secret, "comment-13").reason.replace("wrong secret", "")


@given(st.text() | st.none() | st.integers(), st.text() | st.none() | st.integers())
def test_nothing_that_is_sent_is_an_exception(secret, name):
    assert authorize(secret, name, find_user=find_user, can_edit=can_edit).status in {
        200,
        400,
        401,
    }
