"""What attributes and associations of Loomio's records depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from publisher.serializers.cache import UNKNOWN
from publisher.serializers.read import read

if TYPE_CHECKING:
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


def inside(column: str, name: str, default: object = None) -> Getter:
    """A value inside a column that holds an object; an attribute of that name will do as well."""

    def find(model: Any, scope: Scope) -> object:
        del scope
        values = read(model, column, None)
        return values[name] if values and name in values else read(model, name, default)

    return find


def associated(model: Any, scope: Scope, name: str) -> Any:
    """What the cache has, else what the model has, else nothing."""
    found = scope.cache.fetch(model, name)
    return read(model, name, None) if found is UNKNOWN else found


def translation_of(model: Any, scope: Scope) -> Any:
    """Never looked for: it is for users who have asked for translations."""
    return associated(model, scope, "translation")


def has_translation(model: Any, scope: Scope) -> bool:
    """There is one at hand."""
    return translation_of(model, scope) is not None
