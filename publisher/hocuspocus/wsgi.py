"""Behind WSGI: Django, Flask. ``application = App(find_user, can_edit)``, mounted at the URL."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from publisher.hocuspocus.body import BODY_BYTES_MAX, authorize_request
from publisher.hocuspocus.decision import Decision, EditableType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment


_DIGITS_MAX: Final = 6


class App:
    """A WSGI application that answers every path; arguments as for ``authorize``."""

    def __init__(
        self,
        find_user: Callable[[Any], Any],
        can_edit: Callable[[Any, EditableType, Any], bool],
        id_type: Callable[[str], Any] = int,
    ) -> None:
        self._find_user = find_user
        self._can_edit = can_edit
        self._id_type = id_type

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        status, headers = HTTPStatus.METHOD_NOT_ALLOWED, [("Content-Length", "0")]
        if environ["REQUEST_METHOD"] == "POST":
            status = HTTPStatus(self._decide(environ).status)
        else:
            headers.append(("Allow", "POST"))
        start_response(f"{status.value} {status.phrase}", headers)
        return [b""]

    def _decide(self, environ: WSGIEnvironment) -> Decision:
        length = environ.get("CONTENT_LENGTH") or "0"
        is_known = length.isascii() and length.isdecimal() and len(length) <= _DIGITS_MAX
        if not is_known or int(length) > BODY_BYTES_MAX:
            return Decision(400, "the body is too long, or of unknown length")
        body = environ["wsgi.input"].read(int(length))
        return authorize_request(
            body, find_user=self._find_user, can_edit=self._can_edit, id_type=self._id_type
        )
