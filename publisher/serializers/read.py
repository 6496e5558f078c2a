"""Reading a model, whatever it is: an object of any library, or a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from publisher.errors import InvalidMessage
from publisher.ids import checked_id

if TYPE_CHECKING:
    from publisher.contract.ids import Id

MISSING: Final = object()
OBJECTS: Final[set[type]] = set()
"""Classes that are no mappings: ``isinstance`` would take 0.4 µs for each attribute."""
CLASSES_MAX: Final = 10_000
"""So many are remembered, in a program that makes classes while it runs."""


def is_mapping(model: Any) -> bool:
    """Whether a model is read by key."""
    kind = type(model)
    if kind in OBJECTS:
        return False
    if issubclass(kind, Mapping):
        return True
    if len(OBJECTS) >= CLASSES_MAX:
        OBJECTS.clear()
    OBJECTS.add(kind)
    return False


def read(model: Any, name: str, default: object = MISSING) -> Any:
    """Read an attribute.

    Args:
        model: The model.
        name: The attribute, or key.
        default: Instead of an error.

    Raises:
        AttributeError: If the model has no such attribute.
    """
    if type(model) in OBJECTS or not is_mapping(model):
        return getattr(model, name) if default is MISSING else getattr(model, name, default)
    value = model.get(name, default)
    if value is MISSING:
        message = f"{type(model).__name__} has no {name}"
        raise AttributeError(message)
    return value


def id_of(model: Any, where: str) -> Id:
    """The id of a record: by it the client knows it.

    Raises:
        InvalidMessage: If it has none, or one that is none by ``publisher.contract.ids``.
    """
    value = read(model, "id", None)
    if type(value) is int and value > 0:
        return value
    if value is None:
        raise InvalidMessage(f"{where}.id", "is missing: save the record before you publish it")
    return checked_id(f"{where}.id", value)
