"""What an ORM did not load, and cannot load any more: read by us, it is an ``InvalidMessage``."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from publisher.errors import InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_LOADED: Final = {
    "DetachedInstanceError": (
        "is not loaded, and its session is closed: load it before, with selectinload(...) or "
        "session.refresh(model, [...])"
    ),
    "MissingGreenlet": (
        "is not loaded, and cannot be loaded here: load it before, with selectinload(...) or "
        "await session.refresh(model, [...])"
    ),
    "SynchronousOnlyOperation": (
        "is not loaded, and cannot be loaded in async code: load it before, with "
        "select_related(...) or prefetch_related(...)"
    ),
}
"""Errors of SQLAlchemy and Django, by name: neither is imported here."""


def unreadable(where: str, error: Exception) -> InvalidMessage | None:
    """The error for what was not loaded and cannot be any more; None for any other."""
    cause = getattr(error, "orig", error)  # SQLAlchemy's, in a StatementError
    problem = _NOT_LOADED.get(type(cause).__name__)
    return None if problem is None else InvalidMessage(where, problem)


@contextlib.contextmanager
def reading(where: str) -> Iterator[None]:
    """Something of an ORM's may be read in here.

    Args:
        where: Names it, for errors.

    Raises:
        InvalidMessage: If it was not loaded, and cannot be any more.
    """
    try:
        yield
    except Exception as error:
        if problem := unreadable(where, error):
            raise problem from error
        raise
