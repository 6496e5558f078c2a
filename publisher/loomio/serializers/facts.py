"""What attributes and associations of Loomio's records depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from publisher.serializers.found import UNKNOWN
from publisher.serializers.read import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from publisher.serializers.fields import Condition, Getter
    from publisher.serializers.scope import Scope


def is_markdown(column: str) -> Condition:
    """A text is in Markdown: then it names users."""
    return lambda model, _: read(model, column, None) == "md"


def has(column: str) -> Condition:
    """A column is set."""
    return lambda model, _: read(model, column, None) is not None


def is_discarded(model: Any, scope: Scope) -> bool:
    """The record was taken back: what it said is hidden."""
    del scope
    return read(model, "discarded_at", None) is not None


def is_for_somebody(model: Any, scope: Scope) -> bool:
    """The message goes to one user, not to a group."""
    del model
    return scope.current_user_id is not None


def inside(column: str, name: str, default: Callable[[], object] | None = None) -> Getter:
    """A value inside a column that holds an object; an attribute of that name will do as well.

    Args:
        column: The column.
        name: Of the value.
        default: Makes what stands there instead of null.
    """

    def find(model: Any, scope: Scope) -> object:
        del scope
        values = read(model, column, None)
        found = values.get(name) if values else None
        if found is None:
            found = read(model, name, None)
        return default() if found is None and default is not None else found

    return find


def own(model: Any, scope: Scope, name: str, key: str) -> Any:
    """An association that is the reader's own: never that of somebody else, who was there before.

    Args:
        model: Has the association.
        scope: Says who reads.
        name: Of the association.
        key: Where the associated record names its user.
    """
    found = None if scope.current_user_id is None else associated(model, scope, name)
    is_own = found is not None and scope.is_current_user(read(found, key, None))
    return found if is_own else None


def associated(model: Any, scope: Scope, name: str) -> Any:
    """What the cache has, else what the model has, else nothing."""
    found = scope.cache.fetch(model, name)
    return read(model, name, None) if found is UNKNOWN else found


def translation_of(model: Any, scope: Scope) -> Any:
    """Never looked for, and for users who have asked for translations: never for a group."""
    return associated(model, scope, "translation") if is_for_somebody(model, scope) else None


def has_translation(model: Any, scope: Scope) -> bool:
    """There is one at hand."""
    return translation_of(model, scope) is not None
