"""Serializers: which attributes of a model stand in its record, and which records come along."""

from __future__ import annotations

import sys
from importlib import import_module
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar, cast

from publisher.errors import InvalidMessage
from publisher.serializers.fields import (
    Association,
    Attribute,
    Attributes,
    HasMany,
    HasOne,
    Hidden,
)
from publisher.serializers.names import plural, singular
from publisher.serializers.read import is_mapping, read
from publisher.serializers.values import INT_MAX, PLAIN, as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from publisher.serializers.scope import Scope

Model = TypeVar("Model")

_BY_NAME: Final[dict[str, type[Serializer[Any]]]] = {}
_BY_MODEL: Final[dict[type | str, type[Serializer[Any]]]] = {}
_READY_MADE: Final[dict[type | str, type[Serializer[Any]]]] = {}
_FOUND: Final[dict[type, type[Serializer[Any]]]] = {}
"""What ``serializer_of`` has found, until another serializer is declared."""

_EMPTY: Final = frozenset({list, dict})
"""Of these, an empty one is JSON already."""


class Link:
    """An association of a serializer, ready to be followed.

    Attributes:
        name: Of the association.
        key: Under which the id stands.
        is_many: There may be more than one.
        get: Finds what it leads to; None: the cache, or the model.
        when: It is followed if this holds.
        default: None, if a model need not have it; else nothing.
        root: Collection of the records; empty for a polymorphic one.
        association: As declared.
    """

    __slots__ = (
        "_found",
        "_module",
        "association",
        "default",
        "get",
        "is_many",
        "key",
        "name",
        "root",
        "when",
    )

    def __init__(self, name: str, association: Association, module: str) -> None:
        self.name = name
        self._module = module
        self.get, self.when = association.get, association.when
        self.default: tuple[None, ...] = (None,) if association.is_optional else ()
        self.association = association
        self._found: type[Serializer[Any]] | None = None
        self.is_many = isinstance(association, HasMany)
        if self.is_many:
            self.key = association.key or f"{singular(name)}_ids"
            self.root = association.root or name
        elif isinstance(association, HasOne) and association.polymorphic:
            self.key, self.root = association.key or name, ""
        else:
            self.key = association.key or f"{name}_id"
            self.root = association.root or plural(name)

    def serializer_for(self, model: Any) -> type[Serializer[Any]]:
        """The serializer of a record that was found."""
        declared = self.association.serializer
        if declared is None:
            return serializer_of(model)
        if self._found is None:
            if isinstance(declared, str):
                declared = _named(declared, self._module)
            self._found = declared
        return self._found


class Serializer(Generic[Model]):
    """Base of all serializers. Never instantiated: a subclass is a declaration.

    Class arguments, as in ``class CommentSerializer(Serializer[Comment], model=Comment)``:
        model: Class of the models that it is for, or its name; also for subclasses. Without one it
            has to be named where it is used.
        omit: Names of attributes and associations of the base that it does without.
        is_ready_made: One of an application for the same models comes before it.

    Class attributes:
        root: Collection of its records if they are what is published; the plural of the model's
            name in lower case if omitted.
        attributes: Names, in the order in which they stand in the record. One that is not simply
            read from the model is declared beside: ``pinned_title = Attribute(...)``.
        hidden: Attributes that are null sometimes.

    Associations are declared in the order in which they are followed: ``author = HasOne(...)``,
    ``tags = HasMany(...)``. A subclass takes over those of its base. Where a name is taken by one of
    the above, an underscore follows: ``root_ = Attribute(...)``.
    """

    model_name: ClassVar[str] = ""
    root: ClassVar[str] = ""
    attributes: ClassVar[Attributes] = Attributes()
    hidden: ClassVar[Hidden] = Hidden()
    links: ClassVar[tuple[Link, ...]] = ()

    _plan: ClassVar[_Plan]

    def __init_subclass__(
        cls,
        *,
        model: type | str | None = None,
        omit: tuple[str, ...] = (),
        is_ready_made: bool = False,
        **options: object,
    ) -> None:
        super().__init_subclass__(**options)
        fields: dict[str, Attribute | Association] = {}
        for base in reversed(cls.__mro__):
            fields.update(
                (name.removesuffix("_"), value)
                for name, value in vars(base).items()
                if isinstance(value, (Attribute, Association))
            )
        fields = {name: field for name, field in fields.items() if name not in omit}
        cls.links = tuple(
            Link(name, field, cls.__module__)
            for name, field in fields.items()
            if isinstance(field, Association)
        )
        specials = {name: field for name, field in fields.items() if isinstance(field, Attribute)}
        cls._plan = _Plan(cls.__name__, cls.attributes, specials)
        if model is not None:
            cls.model_name = model if isinstance(model, str) else model.__name__
            (_READY_MADE if is_ready_made else _BY_MODEL)[model] = cls
            _FOUND.clear()
        cls.root = vars(cls).get("root") or plural(cls.model_name.lower())
        _BY_NAME[cls.__name__] = cls

    @classmethod
    def record_of(cls, model: Model, scope: Scope) -> dict[str, object]:
        """The attributes of one model.

        Raises:
            InvalidMessage: If the model lacks one, or has a value that JSON does not know.
        """
        record = cls._plan.write(model, scope)
        for name, value in record.items():
            kind = type(value)
            if kind is int and -INT_MAX <= value <= INT_MAX:  # type: ignore[operator]
                continue
            if kind not in PLAIN and (value or kind not in _EMPTY):
                record[name] = as_json(value, f"{cls.__name__}.{name}")
        if cls.hidden.when is not None and cls.hidden.when(model, scope):
            record.update((name, None) for name in cls.hidden if name in record)
        return record


class _Plan:
    """How the attributes of a record are read: the plain ones all at once, in C.

    Args:
        where: Name of the serializer, for errors.
        names: All attributes, in order.
        specials: Those that are not simply read.
    """

    __slots__ = ("_from_mapping", "_from_object", "_plain", "_specials", "_template", "_where")

    def __init__(
        self, where: str, names: tuple[str, ...], specials: Mapping[str, Attribute]
    ) -> None:
        self._where = where
        self._template = dict.fromkeys(names)
        self._plain = tuple(name for name in names if name not in specials)
        self._specials = tuple((name, specials[name]) for name in names if name in specials)
        self._from_object = _many(attrgetter, self._plain)
        self._from_mapping = _many(itemgetter, self._plain)

    def write(self, model: Any, scope: Scope) -> dict[str, object]:
        record: dict[str, object] = self._template.copy()
        get = self._from_mapping if is_mapping(model) else self._from_object
        try:
            record.update(zip(self._plain, get(model), strict=True))
        except (AttributeError, KeyError):
            for name in self._plain:
                record[name] = _read(model, name, f"{self._where}.{name}")
        for name, special in self._specials:
            if special.when is not None and not special.when(model, scope):
                del record[name]
            elif special.get is not None:
                record[name] = special.get(model, scope)
            else:
                record[name] = _read(model, special.source or name, f"{self._where}.{name}")
        return record


def _many(getter: Any, names: tuple[str, ...]) -> Callable[[Any], Any]:
    """A function that reads all of these, also if they are one, or none."""
    if len(names) > 1:
        return cast("Callable[[Any], Any]", getter(*names))
    get = getter(*names) if names else None
    return lambda model: () if get is None else (get(model),)


def _read(model: Any, name: str, where: str) -> Any:
    try:
        return read(model, name)
    except AttributeError as error:
        raise InvalidMessage(
            where, f"cannot be read: {error}; declare it as Attribute(get=...) or leave it out"
        ) from error


def _named(name: str, module: str) -> type[Serializer[Any]]:
    """The serializer class with this name, first of all the one in the same module."""
    found = getattr(sys.modules.get(module), name, None) or _BY_NAME.get(name)
    if found is None:
        raise InvalidMessage("serializer", f"{name} is not defined")
    return cast("type[Serializer[Any]]", found)


def serializer_of(model: Any, type_name: object = None) -> type[Serializer[Any]]:
    """The serializer that is declared for a model's class, or for one of its bases.

    The application's own come before the ready-made ones for Loomio's records.

    Args:
        model: The model.
        type_name: Name of its class, for mappings, which have none.

    Raises:
        InvalidMessage: If there is none.
    """
    known_as = type(model)
    if not type_name and known_as in _FOUND:
        return _FOUND[known_as]
    keys: list[type | str] = [str(type_name)] if type_name else []
    for base in () if type_name else type(model).__mro__:
        keys += (base, base.__name__)
    for known in (_BY_MODEL, _READY_MADE):
        for key in keys:
            if key in known:
                if not type_name:
                    _FOUND[known_as] = known[key]
                return known[key]
        # Now they are needed, if any are.
        import_module("publisher.loomio.serializers")
    raise InvalidMessage(
        "models",
        f"are of a type without a serializer: {type_name or type(model).__name__}; pass serializer=...",
    )
