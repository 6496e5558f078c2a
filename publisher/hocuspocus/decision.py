"""The rules. Pure: users and rights are asked for through two functions of the application."""

from __future__ import annotations

import enum
import hmac
import inspect
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from publisher.serializers.read import read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

_LENGTH_MAX: Final = 1_024
_DIGITS_MAX: Final = 18
_VISITOR: Final = "0"
_NEW: Final = "new"


class EditableType(enum.Enum):
    """Kinds of records that have documents, as document names spell them."""

    COMMENT = "comment"
    DISCUSSION = "discussion"
    POLL = "poll"
    STANCE = "stance"
    OUTCOME = "outcome"
    POLL_TEMPLATE = "pollTemplate"
    DISCUSSION_TEMPLATE = "discussionTemplate"
    GROUP = "group"
    USER = "user"


class Decision(NamedTuple):
    """An answer.

    Attributes:
        status: Of the HTTP response: 200, 400 or 401. Its body is empty.
        reason: For a log; quotes no secret.
    """

    status: int
    reason: str

    @property
    def is_allowed(self) -> bool:
        """Whether the document may be opened."""
        return self.status == 200  # noqa: PLR2004 - OK


ALLOWED: Final = Decision(200, "allowed")
_TYPES: Final = {kind.value: kind for kind in EditableType}


class _User(NamedTuple):
    """The question who has this id."""

    user_id: int


class _Right(NamedTuple):
    """The question whether somebody may edit a record."""

    user: Any
    kind: EditableType
    record_id: int


def authorize(
    user_secret: object,
    document_name: object,
    *,
    find_user: Callable[[int], Any],
    can_edit: Callable[[Any, EditableType, int], bool],
) -> Decision:
    """Decide whether somebody may open a document.

    Args:
        user_secret: ``<user id>,<secret token>``, as the client sends it; ``0,…`` is a visitor.
        document_name: ``<type>-<id>-…``, or ``<type>-new-<user id>-…`` for a draft.
        find_user: Called with an id; returns the active user (an object or a mapping with ``id``
            and ``secret_token``), or None.
        can_edit: Called with that user, the type and the id of a record; False, too, if there is
            no such record.
    """
    steps = _decide(user_secret, document_name)
    try:
        question = next(steps)
        while True:
            if isinstance(question, _User):
                question = steps.send(find_user(question.user_id))
            else:
                question = steps.send(can_edit(*question))
    except StopIteration as end:
        decision: Decision = end.value
        return decision


async def authorize_async(
    user_secret: object,
    document_name: object,
    *,
    find_user: Callable[[int], Any],
    can_edit: Callable[[Any, EditableType, int], bool | Awaitable[bool]],
) -> Decision:
    """As ``authorize``; both functions may be coroutine functions."""
    steps = _decide(user_secret, document_name)
    try:
        question = next(steps)
        while True:
            answer: Any
            if isinstance(question, _User):
                answer = find_user(question.user_id)
            else:
                answer = can_edit(*question)
            question = steps.send(await answer if inspect.isawaitable(answer) else answer)
    except StopIteration as end:
        decision: Decision = end.value
        return decision


class _Request(NamedTuple):
    """What a user asks for."""

    user_id: int
    secret: str
    kind: EditableType
    record_id: str
    new_user_id: str


def _decide(
    user_secret: object, document_name: object
) -> Generator[_User | _Right, Any, Decision]:
    request = _read(user_secret, document_name)
    if isinstance(request, Decision):
        return request
    user = yield _User(request.user_id)
    if not _is_secret_of(user, request.secret):
        return Decision(401, "unknown user or wrong secret")
    if request.record_id == _NEW:
        author_id = request.new_user_id
        is_own = _is_number(author_id) and int(author_id) == read(user, "id")
        return ALLOWED if is_own else Decision(401, "somebody else's draft")
    if not _is_number(request.record_id):
        return Decision(401, "no such record")
    may_edit = yield _Right(user, request.kind, int(request.record_id))
    return ALLOWED if may_edit is True else Decision(401, "may not edit it")


def _read(user_secret: object, document_name: object) -> _Request | Decision:
    """Read what a client sends: the answer already, if it is malformed or a visitor's."""
    if not (_is_text(user_secret) and _is_text(document_name)):
        return Decision(400, "user_secret and document_name must be text")
    user_id, comma, secret = str(user_secret).partition(",")
    kind_name, record_id, new_user_id = [*str(document_name).split("-"), "", ""][:3]
    kind = _TYPES.get(kind_name)
    if not comma or kind is None or not record_id:
        return Decision(400, "not a secret, or not the name of a document")
    if user_id == _VISITOR:
        # A visitor may begin a group.
        is_new_group = kind is EditableType.GROUP and record_id == _NEW
        return ALLOWED if is_new_group else Decision(401, "a visitor")
    if not (_is_number(user_id) and secret):
        return Decision(401, "not a secret")
    return _Request(int(user_id), secret, kind, record_id, new_user_id)


def _is_secret_of(user: Any, secret: str) -> bool:
    known = "" if user is None else read(user, "secret_token", None) or ""
    # Compared in any case: how long it takes tells nobody who exists.
    one, other = (text.encode(errors="surrogatepass") for text in (str(known), secret))
    return hmac.compare_digest(one, other) and bool(known)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LENGTH_MAX


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX
