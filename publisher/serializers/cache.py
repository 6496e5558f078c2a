"""What associations need, loaded once for a whole collection instead of once for each record."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from publisher.serializers.read import read
from publisher.serializers.registry import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    Load: TypeAlias = Callable[[Sequence[Any], int | None], Mapping[Any, Any]]

UNKNOWN: Final = object()
"""Nothing was loaded for this association: it has to be read from the model."""


class Loaders:
    """How associations are loaded, one query each, whatever is being published."""

    def __init__(self) -> None:
        self._loads: dict[tuple[str, str], Load] = {}

    def add(self, model: str, association: str, load: Load) -> None:
        """Load an association in a way of your own.

        Args:
            model: Name of the class that has it.
            association: Its name.
            load: Called with models and the user who will read the message, or None; returns what
                was found by id of the model. Who is not in there has none.
        """
        self._loads[model, association] = load

    def has_one(
        self,
        model: str,
        association: str,
        *,
        key: str,
        load: Callable[[list[Any]], Mapping[Any, Any]],
    ) -> None:
        """Load records that are named by a column.

        Args:
            model: Name of the class that has the column.
            association: Its name.
            key: The column, such as ``author_id``.
            load: Called with ids; returns records by id: Django's ``User.objects.in_bulk``.
        """

        def by_model(models: Sequence[Any], user_id: int | None) -> Mapping[Any, Any]:
            del user_id
            keys = {read(model, "id"): read(model, key) for model in models}
            found = load(sorted({value for value in keys.values() if value is not None}))
            return {model_id: found.get(value) for model_id, value in keys.items()}

        self.add(model, association, by_model)

    def has_many(
        self,
        model: str,
        association: str,
        *,
        key: str,
        load: Callable[[list[Any]], Iterable[Any]],
    ) -> None:
        """Load records that name the model in a column of their own.

        Args:
            model: Name of the class that is named.
            association: Its name.
            key: The column of the records, such as ``poll_id``.
            load: Called with ids; returns all records that name one of them, in order.
        """

        def by_model(models: Sequence[Any], user_id: int | None) -> Mapping[Any, Any]:
            del user_id
            found: dict[Any, list[Any]] = {read(model, "id"): [] for model in models}
            for record in load(sorted(found)):
                found[read(record, key)].append(record)
            return found

        self.add(model, association, by_model)

    def find(self, model: Any, association: str) -> tuple[str, Load] | None:
        """The loader for a model's class or one of its bases, and the name of that class."""
        for base in type(model).__mro__:
            load = self._loads.get((base.__name__, association))
            if load is not None:
                return base.__name__, load
        return None

    def __bool__(self) -> bool:
        return bool(self._loads)


default_loaders: Final = Loaders()
"""Of the application: filled once, at its start."""


class RecordCache:
    """Associations by class, name and id of the model that has them."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], dict[Any, Any]] = {}

    @classmethod
    def for_collection(
        cls,
        models: Iterable[Any],
        user_id: int | None,
        *,
        loaders: Loaders | None = None,
        serializer: Any = None,
    ) -> RecordCache:
        """Load what the serializers of these models, and of what they lead to, will ask for.

        Every association of a class is loaded once for each level at which the class is found, so
        the number of queries does not depend on that of the models.

        Args:
            models: What will be published.
            user_id: Who will read it; None for a group.
            loaders: How; ``default_loaders`` if omitted. An association without a loader is read
                from the models.
            serializer: As for ``serialize_models``.
        """
        cache, loaders = cls(), default_loaders if loaders is None else loaders
        if not loaders:
            return cache
        level: dict[Any, list[Any]] = defaultdict(list)
        for model in models:
            level[serializer or registry.of(model)].append(model)
        seen: set[tuple[Any, Any]] = set()
        while level:
            following: dict[Any, list[Any]] = defaultdict(list)
            for known, group in level.items():
                fresh = [each for each in group if (known, read(each, "id")) not in seen]
                seen.update((known, read(each, "id")) for each in fresh)
                for link in known.links if fresh else ():
                    for found in cache._follow(link, fresh, user_id, loaders):
                        following[link.serializer_for(found)].append(found)
            level = following
        return cache

    def _follow(
        self, link: Any, models: list[Any], user_id: int | None, loaders: Loaders
    ) -> list[Any]:
        loader = loaders.find(models[0], link.name)
        if loader is None:
            return []
        name, load = loader
        known = self._found.setdefault((name, link.name), {})
        missing = [model for model in models if read(model, "id") not in known]
        if missing:
            found = load(missing, user_id)
            known.update({read(model, "id"): found.get(read(model, "id")) for model in missing})
        reached: list[Any] = []
        for model in models:
            value = known[read(model, "id")]
            if value is not None:
                reached.extend(value if isinstance(value, (list, tuple)) else [value])
        return reached

    def __bool__(self) -> bool:
        return bool(self._found)

    def fetch(self, model: Any, association: str) -> Any:
        """What was loaded for a model; UNKNOWN if nobody has tried. None is an answer."""
        if not self._found:
            return UNKNOWN
        for base in type(model).__mro__:
            found = self._found.get((base.__name__, association))
            if found is not None:
                return found.get(read(model, "id", None), UNKNOWN)
        return UNKNOWN
