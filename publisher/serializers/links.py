"""Associations of a serializer, ready to be followed by a walk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from publisher.errors import InvalidMessage
from publisher.not_loaded import unreadable
from publisher.serializers.fields import Association, HasMany, HasOne
from publisher.serializers.found import UNKNOWN
from publisher.serializers.names import plural, singular
from publisher.serializers.read import is_mapping, read
from publisher.serializers.registry import registry

if TYPE_CHECKING:
    from publisher.serializers.registry import AnySerializer
    from publisher.serializers.scope import Scope


class Link:
    """An association of a serializer.

    Args:
        name: Name of the association.
        association: As declared.
        owner: Name of the serializer, for errors.
        module: Where it is declared.

    Attributes:
        key: Under which the id stands.
        root: Collection of what it leads to; empty: named after the class of what it leads to.
        is_many: There may be more than one.
        get: Finds what it leads to; None: the cache, or the model.
        when: It is followed if this holds.
        serializer: Of what it leads to, once it is known.
    """

    __slots__ = (
        "_declared",
        "_is_optional",
        "_module",
        "_only",
        "_type_from",
        "_where",
        "get",
        "is_many",
        "key",
        "name",
        "root",
        "serializer",
        "when",
    )

    def __init__(self, name: str, association: Association, owner: str, module: str) -> None:
        self.name = name
        self.get, self.when = association.get, association.when
        self.serializer: AnySerializer | None = None
        self.is_many = isinstance(association, HasMany)
        self._where, self._module = f"{owner}.{name}", module
        self._declared = association.serializer
        self._is_optional = association.is_optional
        self._type_from: str | None = None
        self._only: frozenset[str] = frozenset()
        if self.is_many:
            self.key = association.key or f"{singular(name)}_ids"
            self.root = association.root or name
        elif isinstance(association, HasOne) and association.polymorphic:
            self.key, self.root = association.key or name, ""
            self._type_from, self._only = association.type_from, association.only
        else:
            self.key = association.key or f"{name}_id"
            self.root = association.root or plural(name)

    def find(self, model: Any, scope: Scope) -> Any:
        """What a model is associated with: as declared, else of the cache, else of the model.

        Raises:
            InvalidMessage: If none of them says.
        """
        if self.get is not None:
            return self.get(model, scope)
        found = scope.cache.fetch(model, self.name)
        return self.read_from(model) if found is UNKNOWN else found

    def read_from(self, model: Any) -> Any:
        """What the model itself says.

        Raises:
            InvalidMessage: If it has no such attribute, or fails to read it.
        """
        try:
            found = read(model, self.name, UNKNOWN)
        except Exception as error:
            if problem := unreadable(self._where, error):
                raise problem from error
            raise
        return self._missing(model) if found is UNKNOWN else found

    def _missing(self, model: Any) -> None:
        """The model has none, or fails to say."""
        if self._is_optional and not hasattr(type(model), self.name):
            return
        try:
            read(model, self.name)
        except AttributeError as error:
            # Django's, where no record leads back to this one.
            if type(error).__name__ != "RelatedObjectDoesNotExist":
                raise InvalidMessage(
                    self._where,
                    f"cannot be read: {error}; declare it with get=..., or load it",
                ) from error

    def serializer_for(self, found: Any) -> AnySerializer:
        """The serializer of a record that was found.

        Raises:
            InvalidMessage: If there is none.
        """
        if self._declared is None:
            return registry.of(found)
        if self.serializer is None:
            declared = self._declared
            if isinstance(declared, str):
                declared = registry.named(declared, self._module)
            self.serializer = declared
        return self.serializer

    def serializer_for_any(self, model: Any, found: Any) -> AnySerializer:
        """The same where it may be of any class, which the model names if it is a mapping.

        Raises:
            InvalidMessage: If there is none, or the class may not be there.
        """
        name = None
        if self._type_from is not None and is_mapping(found):
            name = read(model, self._type_from, None)
        chosen = registry.of(found, name)
        if self._only and chosen.model_name not in self._only:
            raise InvalidMessage(self._where, f"may not be a {chosen.model_name}")
        return chosen
