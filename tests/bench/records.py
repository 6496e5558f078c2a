"""The traffic: who the users are, and the record that is published again and again."""

import json
from typing import Final

ORIGIN: Final = "https://loomio.example"
RECORD_BYTES: Final = 2048
EVERYONE: Final = "group-1"


def token(number: int) -> str:
    """Channel token of user ``number``."""
    return f"3f6c1d2e-8a57-4b1c-9d0e-{number:012d}"


def user_room(number: int) -> str:
    return f"user-{number}"


def user(number: int) -> bytes:
    """Stored value of a user in three groups: everybody's, and two that differ.

    With ``notice`` and the user's own room that makes five rooms.
    """
    groups = [1, 100 + number % 100, 1000 + number % 500]
    return json.dumps({"name": f"User {number}", "group_ids": groups, "id": number}).encode()


def record(room: str) -> bytes:
    """A published comment for a room: exactly ``RECORD_BYTES`` of JSON, ASCII only."""
    empty = json.dumps(_comment(room, ""), separators=(",", ":"))
    body = "<p>I can live with that.</p>" * RECORD_BYTES
    body = body[: RECORD_BYTES - len(empty)]
    return json.dumps(_comment(room, body), separators=(",", ":")).encode()


def _comment(room: str, body: str) -> dict:
    when = "2026-01-15T10:30:00.000Z"
    event = {"id": 91, "kind": "new_comment", "eventable_id": 456, "eventable_type": "Comment"}
    return {
        "room": room,
        "records": {
            "events": [event | {"discussion_id": 100, "sequence_id": 12, "created_at": when}],
            "comments": [
                {"id": 456, "body": body, "body_format": "html", "author_id": 3, "parent_id": None}
            ],
            "discussions": [{"id": 100, "key": "abcDEF12", "group_id": 7, "title": "Budget"}],
            "groups": [{"id": 7, "key": "gKEY1234", "parent_id": None}],
            "users": [{"id": 3, "name": "Ann Person", "username": "ann", "email_verified": True}],
            "parent_events": [],
        },
    }
