"""How the attributes of a record are read: the plain ones all at once, in C."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, cast

from publisher.errors import InvalidMessage
from publisher.not_loaded import unreadable
from publisher.serializers.read import OBJECTS, is_mapping, read
from publisher.values import EMPTY, PLAIN, as_json, beyond_the_years, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from publisher.serializers.fields import Attribute, Condition, Getter, Hidden
    from publisher.serializers.scope import Scope


class Plan:
    """The attributes of a serializer, ready to be read.

    Args:
        where: Name of the serializer, for errors.
        names: All attributes, in order.
        specials: Those that are not simply read.
        hidden: Those that are null sometimes.
    """

    __slots__ = (
        "_conditional",
        "_from_mapping",
        "_from_object",
        "_hidden",
        "_is_hidden",
        "_made",
        "_names",
        "_sources",
        "_template",
        "_wheres",
    )

    def __init__(
        self,
        where: str,
        names: tuple[str, ...],
        specials: Mapping[str, Attribute],
        hidden: Hidden,
    ) -> None:
        self._wheres = {name: f"{where}.{name}" for name in names}
        self._hidden, self._is_hidden = hidden, hidden.when
        self._template: dict[str, object] = dict.fromkeys(names)
        self._sources: dict[str, str] = {}
        self._made: list[tuple[str, Getter]] = []
        conditional: defaultdict[Condition, list[tuple[str, Getter]]] = defaultdict(list)
        for name in names:
            special = specials.get(name)
            if special is None or (special.get is None and special.when is None):
                self._sources[name] = name if special is None else special.source or name
                continue
            get = special.get or self._reader(name, special.source or name)
            (self._made if special.when is None else conditional[special.when]).append((name, get))
        self._names = tuple(self._sources)
        self._conditional = tuple(conditional.items())
        self._from_object = _many(attrgetter, tuple(self._sources.values()))
        self._from_mapping = _many(itemgetter, tuple(self._sources.values()))

    def write(self, model: Any, scope: Scope) -> dict[str, object]:
        """The attributes of one model, as JSON values.

        Raises:
            InvalidMessage: If the model lacks one, or has a value that JSON does not know.
        """
        record = self._read(model, scope)
        name = ""
        try:
            for name, value in record.items():
                kind = type(value)
                if kind in PLAIN:
                    continue
                if kind is datetime and not value.fold:  # type: ignore[attr-defined]
                    record[name] = moment(value)
                elif value or kind not in EMPTY:
                    record[name] = as_json(value, self._wheres[name])
        except OverflowError:
            raise beyond_the_years(self._wheres[name]) from None
        if self._is_hidden is not None and self._is_hidden(model, scope):
            record.update((name, None) for name in self._hidden if name in record)
        return record

    def _read(self, model: Any, scope: Scope) -> dict[str, object]:
        """The attributes as the model has them."""
        record = self._template.copy()
        is_object = type(model) in OBJECTS or not is_mapping(model)
        get = self._from_object if is_object else self._from_mapping
        try:
            record |= zip(self._names, get(model))  # noqa: B905 - as many as there are
        except Exception:  # noqa: BLE001 - each is read by itself, to name which it is
            for name, source in self._sources.items():
                record[name] = self._reader(name, source)(model, scope)
        for name, make in self._made:
            record[name] = make(model, scope)
        for when, makers in self._conditional:
            if when(model, scope):
                for name, make in makers:
                    record[name] = make(model, scope)
            else:
                for name, _ in makers:
                    del record[name]
        return record

    def _reader(self, name: str, source: str) -> Getter:
        """A function that reads one attribute, and names it if it cannot."""

        def get(model: Any, scope: Scope) -> object:
            del scope
            try:
                return read(model, source)
            except AttributeError as error:
                raise InvalidMessage(
                    self._wheres[name],
                    f"cannot be read: {error}; declare it as Attribute(get=...) or leave it out",
                ) from error
            except Exception as error:
                if problem := unreadable(self._wheres[name], error):
                    raise problem from error
                raise

        return get


def _many(getter: Any, names: tuple[str, ...]) -> Callable[[Any], Any]:
    """A function that reads all of these, also if they are one, or none."""
    if len(names) > 1:
        return cast("Callable[[Any], Any]", getter(*names))
    get = getter(*names) if names else None
    return lambda model: () if get is None else (get(model),)
