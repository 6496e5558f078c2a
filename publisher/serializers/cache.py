"""What associations need, loaded once for a whole collection instead of once for each record."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from publisher.errors import InvalidMessage
from publisher.serializers.found import UNKNOWN, Found
from publisher.serializers.loaders import default_loaders
from publisher.serializers.read import id_of, is_mapping, read
from publisher.serializers.registry import registry
from publisher.serializers.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from publisher.serializers.links import Link
    from publisher.serializers.loaders import Loaders
    from publisher.serializers.registry import AnySerializer


class RecordCache(Found):
    """Loads associations of a collection, and of what they lead to."""

    @classmethod
    def for_collection(
        cls,
        models: Iterable[Any],
        user_id: Any,
        *,
        loaders: Loaders | None = None,
        serializer: Any = None,
        values: Mapping[str, Any] | None = None,
    ) -> RecordCache:
        """Load what the serializers of these models, and of what they lead to, will ask for.

        Every association of a class is loaded once for each level at which the class is found, so
        the number of queries does not depend on that of the models.

        Args:
            models: What will be published.
            user_id: Id of who will read it; None for a group.
            loaders: How; ``default_loaders`` if omitted. An association without a loader is read
                from the models.
            serializer: As for ``serialize_models``.
            values: The scope, as for ``serialize_models``.

        Raises:
            InvalidMessage: If a model has no serializer or no id, or a loader fails.
        """
        cache, loaders = cls(), default_loaders if loaders is None else loaders
        if not loaders:
            return cache
        level: dict[Any, list[Any]] = defaultdict(list)
        for model in models:
            level[serializer or registry.of(model)].append(model)
        published = next(iter(level)).model_name if level else ""
        scope = Scope(values, current_user_id=user_id, cache=cache, published=published)
        seen: set[tuple[Any, Any]] = set()
        while level:
            following: dict[Any, list[Any]] = defaultdict(list)
            for known, group in level.items():
                ids = {id_of(each, known.__name__): each for each in group}
                fresh = [each for number, each in ids.items() if (known, number) not in seen]
                seen.update((known, number) for number in ids)
                for name in known.needs if fresh else ():
                    cache._load(name, fresh, user_id, loaders)
                for link in known.links if fresh else ():
                    for next_one, found in cache._follow(link, fresh, scope, loaders):
                        following[next_one].append(found)
            level = following
        return cache

    def _follow(
        self, link: Link, models: list[Any], scope: Scope, loaders: Loaders
    ) -> Iterator[tuple[AnySerializer, Any]]:
        """Load an association, or read it where nothing loads it. Go to what it leads to."""
        is_loaded = self._load(link.name, models, scope.current_user_id, loaders)
        for model in models:
            found = self.fetch(model, link.name) if is_loaded else self._read(link, model, scope)
            if found is UNKNOWN or found is None:
                continue
            for each in found if link.is_many else [found]:
                if link.root:
                    yield link.serializer_for(each), each
                else:
                    yield link.serializer_for_any(model, each), each

    def _read(self, link: Link, model: Any, scope: Scope) -> Any:
        """What a model says that it is associated with, to be read once."""
        if link.when is not None and not link.when(model, scope):
            return UNKNOWN
        if link.get is not None:
            return _as_found(link.get(model, scope), is_many=link.is_many)
        found = _as_found(link.read_from(model), is_many=link.is_many)
        if not is_mapping(model):  # whose class says nothing
            table = self._found.setdefault((type(model).__name__, link.name), {})
            table[read(model, "id")] = found
        return found

    def _load(
        self, association: str, models: list[Any], user_id: int | str | None, loaders: Loaders
    ) -> bool:
        """Load an association of models of one class. Return whether there is a loader."""
        loader = loaders.find(models[0], association)
        if loader is None:
            return False
        name, load = loader
        known = self._found.setdefault((name, association), {})
        missing = [model for model in models if read(model, "id") not in known]
        if missing:
            try:
                found = load(missing, user_id)
                for model in missing:
                    number = read(model, "id")
                    known[number] = _as_found(found.get(number))
            except (AttributeError, KeyError, TypeError) as error:
                raise InvalidMessage(
                    f"the loader of {name}.{association}",
                    f"failed: {type(error).__name__}: {error}",
                ) from error
        return True


def _as_found(value: Any, *, is_many: bool = False) -> Any:
    """A list if there may be more than one: it is gone through more than once."""
    if hasattr(value, "all") and is_many:
        value = value.all()
    is_iterator = hasattr(value, "__next__")
    return list(value) if value is not None and (is_many or is_iterator) else value
