"""The request, as far as it is the same behind every kind of web server."""

from __future__ import annotations

from typing import Final, NamedTuple

import orjson

from publisher.hocuspocus.decision import Decision

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
