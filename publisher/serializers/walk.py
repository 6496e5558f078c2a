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
from typing import TYPE_CHECKING, Any, cast

from publisher.errors import InvalidMessage
from publisher.serializers.cache import UNKNOWN, RecordCache
from publisher.serializers.names import plural, underscored
from publisher.serializers.read import id_of, is_mapping, read
from publisher.serializers.scope import Scope
from publisher.serializers.serializer import Serializer, serializer_of

if TYPE_CHECKING:
    from publisher.serializers.cache import Loaders
    from publisher.serializers.fields import HasOne
    from publisher.serializers.serializer import Link


def serialize_models(
    models: Any,
    *,
    serializer: type[Serializer[Any]] | None = None,
    scope: Mapping[str, Any] | None = None,
    root: str | None = None,
    current_user_id: int | None = None,
    loaders: Loaders | None = None,
    omit_empty: bool = False,
) -> dict[str, list[dict[str, object]]]:
    """Make the record set that ``publish_records`` takes.

    Args:
        models: One model, or some of one kind.
        serializer: For each of them; the one of the first model's class if omitted.
        scope: What attributes and associations may depend on.
        root: Collection of the models; the serializer's if omitted.
        current_user_id: Who will read it; None for a group.
        loaders: How associations are loaded; ``default_loaders`` if omitted.
        omit_empty: Leave out collections in which there is nothing.

    Returns:
        Records by collection; empty if there are no models.

    Raises:
        InvalidMessage: If a model has no serializer or no id, or a value is none that JSON knows.
    """
    collection = as_list(models)
    if not collection:
        return {}
    chosen = serializer or serializer_of(collection[0])
    cache = RecordCache.for_collection(
        collection, current_user_id, loaders=loaders, serializer=chosen
    )
    walk = _Walk(Scope(scope, current_user_id=current_user_id, cache=cache))
    root = root or chosen.root
    try:
        for model in collection:
            id_of(model, chosen.__name__)
        primary = [walk.record(model, chosen) for model in collection]
    except RecursionError:
        raise InvalidMessage(
            "models", "lead to each other without an end: leave an association out"
        ) from None
    records = walk.records
    records.pop(root, None)
    records[root] = primary
    return {name: found for name, found in records.items() if found} if omit_empty else records


def as_list(models: Any) -> list[Any]:
    """One model, or any iterable of models, as a list. None is none."""
    if models is None:
        return []
    if isinstance(models, Iterable) and not isinstance(models, (str, bytes, Mapping)):
        return list(models)
    return [models]


class _Walk:
    """One record set in the making."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._fetch = scope.cache.fetch if scope.cache else None
        self._seen: set[tuple[str, int]] = set()
        self.records: dict[str, list[dict[str, object]]] = {}

    def record(self, model: Any, serializer: type[Serializer[Any]]) -> dict[str, object]:
        """The record of a model; what it leads to is put beside."""
        scope, fetch = self._scope, self._fetch
        record = serializer.record_of(model, scope)
        for link in serializer.links:
            if link.when is not None and not link.when(model, scope):
                continue
            if link.get is not None:
                found = link.get(model, scope)
            else:
                found = UNKNOWN if fetch is None else fetch(model, link.name)
                if found is UNKNOWN:
                    found = self._read(link, model, serializer)
            record[link.key] = self._include(link, model, found, serializer)
        return record

    def _read(self, link: Link, model: Any, serializer: type[Serializer[Any]]) -> Any:
        """An association that nobody has loaded."""
        try:
            found = read(model, link.name, *link.default)
        except AttributeError as error:
            raise InvalidMessage(
                f"{serializer.__name__}.{link.name}",
                f"cannot be read: {error}; declare it with get=..., or load it",
            ) from error
        # A relation of Django's.
        return found.all() if link.is_many and hasattr(found, "all") else found

    def _include(
        self, link: Link, model: Any, found: Any, serializer: type[Serializer[Any]]
    ) -> object:
        """Put what an association leads to beside the record. Return what stands in it."""
        if not link.root:
            return None if found is None else self._refer(link, model, found, serializer)
        if link.root not in self.records:
            self.records[link.root] = []
        if link.is_many:
            return [self._add(each, link.serializer_for(each), link.root) for each in found or ()]
        return None if found is None else self._add(found, link.serializer_for(found), link.root)

    def _refer(
        self, link: Link, model: Any, found: Any, serializer: type[Serializer[Any]]
    ) -> dict[str, object]:
        """To a record of any class."""
        association = cast("HasOne", link.association)
        name = read(model, association.type_from, None) if association.type_from else None
        chosen = serializer_of(found, name if is_mapping(found) else None)
        if association.only and chosen.model_name not in association.only:
            raise InvalidMessage(
                f"{serializer.__name__}.{link.name}", f"may not be a {chosen.model_name}"
            )
        kind = underscored(chosen.model_name)
        root = plural(kind)
        self.records.setdefault(root, [])
        return {"type": kind, "id": self._add(found, chosen, root)}

    def _add(self, model: Any, serializer: type[Serializer[Any]], root: str) -> int:
        model_id = id_of(model, serializer.__name__)
        if (root, model_id) not in self._seen:
            # Before it is followed: who leads back to it finds it done.
            self._seen.add((root, model_id))
            self.records[root].append(self.record(model, serializer))
        return model_id
