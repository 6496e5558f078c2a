"""For whom records are serialised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from publisher.errors import InvalidMessage
from publisher.serializers.found import Found


class Scope:
    """What attributes and associations may depend on.

    Args:
        values: The caller's own, such as ``{"include_email": True}``. ``cache`` and
            ``current_user_id`` in there are overwritten, as in Rails.
        current_user_id: Id of who will read the message; None if it goes to a group.
        cache: What was loaded beforehand.
        published: Name of the class of what is published, such as ``Event``.
    """

    __slots__ = ("_values", "cache", "current_user_id", "published")

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        current_user_id: Any = None,
        cache: Found | None = None,
        published: str = "",
    ) -> None:
        if values is not None and not isinstance(values, Mapping):
            raise InvalidMessage("scope", f"must be a mapping, not {type(values).__name__}")
        self.current_user_id, self.published = current_user_id, published
        self.cache = Found() if cache is None else cache
        self._values = {**(values or {}), "current_user_id": current_user_id, "cache": self.cache}

    def get(self, name: str, default: Any = None) -> Any:
        """One of the caller's own values."""
        return self._values.get(name, default)

    def is_current_user(self, user_id: object) -> bool:
        """Whether the message goes to this user. Never, if it goes to a group."""
        # A number and a text, or a UUID and its text, are the same id.
        reader = self.current_user_id
        return reader is not None and user_id is not None and str(reader) == str(user_id)
