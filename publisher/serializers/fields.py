"""What a serializer is made of: attributes, and associations that are loaded beside the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from publisher.serializers.scope import Scope
    from publisher.serializers.serializer import Serializer

    Getter: TypeAlias = Callable[[Any, Scope], object]
    Condition: TypeAlias = Callable[[Any, Scope], bool]
    SerializerRef: TypeAlias = type[Serializer[Any]] | str


class Attributes(tuple[str, ...]):
    """Names of attributes, in the order in which they stand in the record."""

    __slots__ = ()

    def __new__(cls, *names: str) -> Self:
        """Name the attributes."""
        if not all(isinstance(name, str) for name in names):
            raise TypeError(
                'Attributes takes names, one after the other: Attributes("id", "name")'
            )
        return super().__new__(cls, names)


class Hidden(frozenset[str]):
    """Names of attributes that are null sometimes; their keys stay.

    Args:
        names: The attributes.
        when: They are null if this holds.
    """

    when: Condition | None

    def __new__(cls, *names: str, when: Condition | None = None) -> Self:
        """Name the attributes, and the condition."""
        self = super().__new__(cls, names)
        self.when = when
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An attribute that is not simply read from the model.

    Attributes:
        get: Makes the value.
        source: Or: the attribute of the model that has it.
        when: The attribute is left out unless this holds.
    """

    get: Getter | None = None
    source: str | None = None
    when: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """Another record, or some, that come along.

    Attributes:
        serializer: Its class, or the name of its class where that is defined later on. None: the
            one of the model.
        root: Collection in which it is found; the plural of the name if omitted.
        key: Under which the id stands in the record; ``<name>_id`` or ``<singular>_ids`` if
            omitted.
        get: Finds it; if omitted the cache is asked, then the attribute of the model.
        when: Neither the id nor the collection is there unless this holds.
        is_optional: A model without such an attribute has none, where else it is an error.
    """

    serializer: SerializerRef | None = None
    root: str | None = None
    key: str | None = None
    get: Getter | None = None
    when: Condition | None = None
    is_optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HasOne(Association):
    """One record, or none.

    Attributes:
        polymorphic: It may be of any class: ``{"type": "comment", "id": 202}`` stands in the
            record, and the collection is the plural of the class.
        type_from: Attribute of the model that names the class, for models that are mappings.
        only: Names of the classes that may be there; any if empty.
    """

    polymorphic: bool = False
    type_from: str | None = None
    only: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class HasMany(Association):
    """Any number of records, in order."""
