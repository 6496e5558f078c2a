"""From models to the record sets that Loomio's client imports.

As ActiveModel::Serializers 0.8 with ``embed :ids, include: true`` does it:

- a record holds the ids of its associations; their records stand beside it, each once for each
  collection, whoever has led to it;
- a collection appears when it is first touched, even if nothing is in it;
- a record follows those that it has led to, so that parents come first;
- what is published comes last, and takes the place of a collection of the same name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from publisher.errors import InvalidMessage
from publisher.not_loaded import reading, unreadable
from publisher.serializers.cache import RecordCache
from publisher.serializers.found import UNKNOWN
from publisher.serializers.names import plural, underscored
from publisher.serializers.read import OBJECTS, id_of
from publisher.serializers.registry import registry
from publisher.serializers.scope import Scope
from publisher.values import as_json

if TYPE_CHECKING:
    from publisher.contract.ids import Id
    from publisher.serializers.links import Link
    from publisher.serializers.loaders import Loaders
    from publisher.serializers.serializer import Serializer


def serialize_models(
    models: Any,
    *,
    serializer: type[Serializer[Any]] | None = None,
    scope: Mapping[str, Any] | None = None,
    root: str | None = None,
    current_user_id: Any = None,
    loaders: Loaders | None = None,
    omit_empty: bool = False,
) -> dict[str, list[dict[str, object]]]:
    """Make the record set that ``publish_records`` takes.

    Args:
        models: One model, or some of one kind.
        serializer: For each of them; the one of the first model's class if omitted.
        scope: What attributes and associations may depend on.
        root: Collection of the models; the serializer's if omitted.
        current_user_id: Id of who will read it; None for a group.
        loaders: How associations are loaded; ``default_loaders`` if omitted.
        omit_empty: Leave out collections in which there is nothing.

    Returns:
        Records by collection; empty if there are no models. Lists and objects in them may be the
        models' own.

    Raises:
        InvalidMessage: If a model has no serializer or no id, or a value is none that JSON knows.
    """
    with reading("models"):
        collection = as_list(models)
    if not collection:
        return {}
    chosen = _serializer_of(collection) if serializer is None else serializer
    root = root or getattr(chosen, "root", None)
    if not root:
        raise InvalidMessage(
            "root", f"is missing: {getattr(chosen, '__name__', chosen)} has neither root nor model"
        )
    try:
        for model in collection:
            id_of(model, chosen.__name__)
        cache = RecordCache.for_collection(
            collection, current_user_id, loaders=loaders, serializer=chosen, values=scope
        )
        published = chosen.model_name
        walk = _Walk(
            Scope(scope, current_user_id=current_user_id, cache=cache, published=published)
        )
        primary = [walk.record(model, chosen) for model in collection]
    except AttributeError as error:
        raise InvalidMessage("models", f"cannot be read: {error}") from error
    except RecursionError:
        raise InvalidMessage(
            "models", "lead to each other too far: leave an association out"
        ) from None
    except Exception as error:
        if problem := unreadable(chosen.__name__, error):
            raise problem from error
        raise
    records = walk.records
    records.pop(root, None)
    records[root] = primary
    return {name: found for name, found in records.items() if found} if omit_empty else records


def _serializer_of(models: list[Any]) -> type[Serializer[Any]]:
    chosen = registry.of(models[0])
    if len(models) > 1 and any(registry.of(model) is not chosen for model in models):
        raise InvalidMessage("models", "are of more than one type: publish them apart")
    return chosen


def as_list(models: Any) -> list[Any]:
    """One model, or any iterable of models, as a list. None is none.

    What has an id is one, also if it is iterable, as a model of pydantic is.
    """
    if type(models) is list:
        return models
    if models is None:
        return []
    # The class is asked first: to read the id may load it.
    has_id = hasattr(type(models), "id") or hasattr(models, "id")
    is_one = has_id or isinstance(models, (str, bytes, Mapping))
    return list(models) if isinstance(models, Iterable) and not is_one else [models]


def _checked(record: Mapping[str, object], where: str) -> dict[str, object]:
    return {name: as_json(value, f"{where}.{name}") for name, value in record.items()}


class _Walk:
    """One record set in the making.

    Args:
        scope: For whom.

    Attributes:
        records: What was found so far, by collection.
    """

    __slots__ = ("_is_cached", "_made", "_scope", "_seen", "records")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._is_cached = bool(scope.cache)
        self._seen: set[tuple[str, str, Id]] = set()
        self._made: dict[int, tuple[Any, type[Serializer[Any]], dict[str, object]]] = {}
        self.records: dict[str, list[dict[str, object]]] = {}

    def record(self, model: Any, serializer: type[Serializer[Any]]) -> dict[str, object]:
        """The record of a model; what it leads to is put beside."""
        scope, records = self._scope, self.records
        if serializer.makes_records:
            record = _checked(serializer.record_of(model, scope), serializer.__name__)
        else:
            record = serializer.plan.write(model, scope)
        is_simple = not self._is_cached and type(model) in OBJECTS
        for link in serializer.links:
            if link.when is not None and not link.when(model, scope):
                continue
            try:
                # Most are read here: two calls less for each of them, a tenth of the whole.
                found = (
                    UNKNOWN if not is_simple or link.get else getattr(model, link.name, UNKNOWN)
                )
            except Exception:  # noqa: BLE001 - below, what is wrong is said
                found = UNKNOWN
            if found is UNKNOWN:
                found = link.find(model, scope)
            if link.root and link.root not in records:
                records[link.root] = []
            nothing: object = [] if link.is_many else None
            record[link.key] = nothing if found is None else self._include(link, model, found)
        return record

    def _include(self, link: Link, model: Any, found: Any) -> object:
        """Put what an association leads to beside the record. Return what stands in it."""
        if link.is_many:
            # A relation of Django's has to be asked for its records.
            many = found.all() if hasattr(found, "all") else found
            return [self._add(each, link.serializer_for(each), link.root) for each in many]
        if link.root:
            return self._add(found, link.serializer or link.serializer_for(found), link.root)
        return self._refer(link, model, found)

    def _refer(self, link: Link, model: Any, found: Any) -> dict[str, object]:
        """To a record of any class."""
        serializer = link.serializer_for_any(model, found)
        kind = underscored(serializer.model_name)
        root = plural(kind)
        self.records.setdefault(root, [])
        return {"type": kind, "id": self._add(found, serializer, root)}

    def _add(self, model: Any, serializer: type[Serializer[Any]], root: str) -> Id:
        model_id: Id = getattr(model, "id", None)  # type: ignore[assignment]
        if type(model_id) is not int:
            model_id = id_of(model, serializer.__name__)
        key = root, serializer.model_name, model_id
        if key not in self._seen:
            # Before it is followed: who leads back to it finds it done.
            self._seen.add(key)
            known = self._made.get(id(model))
            if known is None or known[1] is not serializer:
                # With the model, whose id nobody else can have as long as it is here.
                known = self._made[id(model)] = model, serializer, self.record(model, serializer)
                self.records[root].append(known[2])
            else:  # it stands in another collection, as the beginning of a thread does
                self.records[root].append(known[2].copy())
        return model_id
