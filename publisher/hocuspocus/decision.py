"""The rules. Pure: users and rights are asked for through two functions of the application."""

from __future__ import annotations

import enum
import hmac
import inspect
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from publisher.contract.ids import id_text
from publisher.serializers.read import read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

_LENGTH_MAX: Final = 1_024
_INT_MAX: Final = 2**63 - 1
"""What the databases of applications take for a key."""
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

    user_id: Any


class _Right(NamedTuple):
    """The question whether somebody may edit a record."""

    user: Any
    kind: EditableType
    record_id: Any


def authorize(
    user_secret: object,
    document_name: object,
    *,
    find_user: Callable[[Any], Any],
    can_edit: Callable[[Any, EditableType, Any], bool],
    id_type: Callable[[str], Any] = int,
) -> Decision:
    """Decide whether somebody may open a document.

    Args:
        user_secret: ``<user id>,<secret token>``, as the client sends it; ``0,…`` is a visitor.
        document_name: ``<type>-<id>-<field>``, or ``<type>-new-<user id>-<field>`` for a draft. An
            id may have ``-`` in it, a type and a field have none.
        find_user: Called with an id; returns the active user (an object or a mapping with
            ``secret_token``), or None.
        can_edit: Called with that user, the type and the id of a record; False, too, if there is
            no such record.
        id_type: Makes an id of a text: ``int``, ``str``, or ``uuid.UUID``. A text for which it
            raises ``ValueError`` is nobody's id, and neither is one that ``str`` of the id is not,
            such as a UUID in capitals.
    """
    steps = _decide(user_secret, document_name, id_type)
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
    find_user: Callable[[Any], Any],
    can_edit: Callable[[Any, EditableType, Any], bool | Awaitable[bool]],
    id_type: Callable[[str], Any] = int,
) -> Decision:
    """As ``authorize``; ``find_user`` and ``can_edit`` may be coroutine functions."""
    steps = _decide(user_secret, document_name, id_type)
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
    """What a user asks for.

    Attributes:
        user_id: Who asks, as sent.
        secret: The proof of it.
        kind: Of the record.
        rest: What follows the kind in the document's name.
    """

    user_id: str
    secret: str
    kind: EditableType
    rest: str

    @property
    def is_draft(self) -> bool:
        """Whether there is no such record yet."""
        return self.rest.partition("-")[0] == _NEW

    def is_draft_of(self, user_id: object) -> bool:
        """Whether the draft names who asks as its author.

        Behind a number Loomio has several fields, or none. A text may have ``-`` in it itself:
        behind it stands one field, so that nobody's id is taken for a part of another one's.
        """
        if isinstance(user_id, int):
            return f"{self.rest}-".startswith(f"{_NEW}-{self.user_id}-")
        return self.rest.rpartition("-")[0] == f"{_NEW}-{self.user_id}"

    @property
    def record_id(self) -> str:
        """All but the field, which has no ``-`` in it."""
        return self.rest.rpartition("-")[0] or self.rest


def _decide(
    user_secret: object, document_name: object, id_type: Callable[[str], Any]
) -> Generator[_User | _Right, Any, Decision]:
    request = _read(user_secret, document_name)
    if isinstance(request, Decision):
        return request
    user_id = _key(request.user_id, id_type)
    user = None if user_id is None else (yield _User(user_id))
    if inspect.isawaitable(user):
        raise TypeError(_wrong("find_user", "a user or None", user))
    if not _is_secret_of(user, request.secret):
        return Decision(401, "unknown user or wrong secret")
    if request.is_draft:
        return ALLOWED if request.is_draft_of(user_id) else Decision(401, "somebody else's draft")
    record_id = _key(request.record_id, id_type)
    if record_id is None:
        return Decision(401, "no such record")
    may_edit = yield _Right(user, request.kind, record_id)
    if may_edit and may_edit is not True:
        raise TypeError(_wrong("can_edit", "a bool", may_edit))
    return ALLOWED if may_edit else Decision(401, "may not edit it")


def _wrong(function: str, expected: str, answer: object) -> str:
    """What to say to a programmer whose function answers with something else."""
    if inspect.iscoroutine(answer):
        answer.close()  # else Python says, later, that nobody has awaited it
        return f"{function} is a coroutine function: use authorize_async, or the ASGI application"
    return f"{function} must return {expected}, not {type(answer).__name__}"


def _read(user_secret: object, document_name: object) -> _Request | Decision:
    """Read what a client sends: the answer already, if it is malformed or a visitor's."""
    if not (_is_text(user_secret) and _is_text(document_name)):
        return Decision(400, "user_secret and document_name must be text")
    user_id, comma, secret = str(user_secret).partition(",")
    kind_name, _, rest = str(document_name).partition("-")
    kind = _TYPES.get(kind_name)
    if not comma or kind is None or not rest:
        return Decision(400, "not a secret, or not the name of a document")
    request = _Request(user_id, secret, kind, rest)
    if user_id == _VISITOR:
        # A visitor may begin a group.
        is_new_group = kind is EditableType.GROUP and request.is_draft
        return ALLOWED if is_new_group else Decision(401, "a visitor")
    return request


def _key(text: str, id_type: Callable[[str], Any]) -> Any:
    """The id that a text is, or None: the application is never asked about what is none."""
    if id_text(text) is None:
        return None
    try:
        key = id_type(text)
    except ValueError:
        return None
    is_too_large = isinstance(key, int) and abs(key) > _INT_MAX
    return None if is_too_large or str(key) != text else key


def _is_secret_of(user: Any, secret: str) -> bool:
    known = "" if user is None else read(user, "secret_token", None) or ""
    # Compared in any case: how long it takes tells nobody who exists.
    one, other = (text.encode(errors="surrogatepass") for text in (str(known), secret))
    return hmac.compare_digest(one, other) and bool(known)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LENGTH_MAX
