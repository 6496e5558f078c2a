"""What the form of the demo page asks us to publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

_TEXT_MAX: Final = 10_000  # characters; far below the 64 KB that a body may have


class BadOrder(ValueError):
    """The body of a publish request cannot be used; the text says why, for the page to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsOrder:
    """Publish a comment.

    Attributes:
        text: Body of the comment, 1 to 10,000 characters, not only blanks.
        group_id: Group to publish to, 1 or more; None if it goes to no group.
        user_id: User to publish to, 1 or more; None if it goes to no single user. With both
            None the room is null, and nobody may receive the comment.
    """

    text: str
    group_id: int | None
    user_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeOrder:
    """Publish a system notice to everybody.

    Attributes:
        text: The notice, 1 to 10,000 characters, not only blanks.
        reload: Whether pages are asked to load themselves again.
    """

    text: str
    reload: bool


def read(body: bytes) -> RecordsOrder | NoticeOrder:
    """Check the body of a publish request.

    Args:
        body: JSON in UTF-8.

    Raises:
        BadOrder: If it is not JSON, or a field is missing or of the wrong kind.
    """
    try:
        order = orjson.loads(body)
    except ValueError as error:
        message = "the body is not JSON"
        raise BadOrder(message) from error
    if not isinstance(order, dict):
        message = "the body must be a JSON object"
        raise BadOrder(message)
    match order.get("kind"):
        case "records":
            return RecordsOrder(
                text=_text(order),
                group_id=_id(order, "group_id"),
                user_id=_id(order, "user_id"),
            )
        case "notice":
            return NoticeOrder(text=_text(order), reload=_reload(order))
        case _:
            message = 'kind must be "records" or "notice"'
            raise BadOrder(message)


def _text(order: dict[str, object]) -> str:
    text = order.get("text")
    if not isinstance(text, str) or not text.strip() or len(text) > _TEXT_MAX:
        message = f"text must have 1 to {_TEXT_MAX} characters"
        raise BadOrder(message)
    return text


def _id(order: dict[str, object], name: str) -> int | None:
    value = order.get(name)
    if value is None:
        return None
    # bool is an int to Python, not to the person who wrote "true".
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        message = f"{name} must be null or a whole number from 1"
        raise BadOrder(message)
    return value


def _reload(order: dict[str, object]) -> bool:
    value = order.get("reload", False)
    if not isinstance(value, bool):
        message = "reload must be true or false"
        raise BadOrder(message)
    return value
