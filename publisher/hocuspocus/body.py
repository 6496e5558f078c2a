"""The request, as far as it is the same behind every kind of web server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from publisher.hocuspocus.decision import Decision, EditableType, authorize, authorize_async

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

BODY_BYTES_MAX: Final = 16 * 1024


class Question(NamedTuple):
    """What is asked.

    Attributes:
        user_secret: As sent, whatever it is.
        document_name: As sent, whatever it is.
    """

    user_secret: object
    document_name: object


def read_body(body: bytes) -> Question | Decision:
    """Read a request's body: the question, or the answer to what is none."""
    if len(body) > BODY_BYTES_MAX:
        return Decision(400, "the body is too long")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Decision(400, "the body is not JSON")
    if not isinstance(document, dict):
        return Decision(400, "the body is not a JSON object")
    return Question(document.get("user_secret"), document.get("document_name"))


def authorize_request(
    body: bytes,
    *,
    find_user: Callable[[Any], Any],
    can_edit: Callable[[Any, EditableType, Any], bool],
    id_type: Callable[[str], Any] = int,
) -> Decision:
    """Decide what to answer to a request; functions as for ``authorize``.

    Args:
        body: ``{"user_secret": "<user id>,<secret token>", "document_name": "comment-5-body"}``.
        find_user: Finds who asks.
        can_edit: Knows what they may edit.
        id_type: Makes an id of a text.
    """
    question = read_body(body)
    if isinstance(question, Decision):
        return question
    return authorize(*question, find_user=find_user, can_edit=can_edit, id_type=id_type)


async def authorize_request_async(
    body: bytes,
    *,
    find_user: Callable[[Any], Any],
    can_edit: Callable[[Any, EditableType, Any], bool | Awaitable[bool]],
    id_type: Callable[[str], Any] = int,
) -> Decision:
    """As ``authorize_request``; ``find_user`` and ``can_edit`` may be coroutine functions."""
    question = read_body(body)
    if isinstance(question, Decision):
        return question
    return await authorize_async(
        *question, find_user=find_user, can_edit=can_edit, id_type=id_type
    )
