"""How associations are loaded: declared once, at the start of an application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from publisher.serializers.read import id_of, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    Load: TypeAlias = Callable[[Sequence[Any], int | str | None], Mapping[Any, Any]]


class Loaders:
    """How associations are loaded, one query each, whatever is being published."""

    def __init__(self) -> None:
        self._loads: dict[tuple[str, str], Load] = {}

    def add(self, model: str, association: str, load: Load) -> None:
        """Load an association in a way of your own.

        Args:
            model: Name of the class that has it.
            association: Its name.
            load: Called with models and the id of the user who will read the message (a UUID as its
                text), or None; returns what
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

        def by_model(models: Sequence[Any], user_id: int | str | None) -> Mapping[Any, Any]:
            del user_id
            keys = {_key_of(model): read(model, key) for model in models}
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

        def by_model(models: Sequence[Any], user_id: int | str | None) -> Mapping[Any, Any]:
            del user_id
            found: dict[Any, list[Any]] = {_key_of(model): [] for model in models}
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


def _key_of(model: Any) -> Any:
    """The id of a model as the model has it, such as a UUID, which is none in the record."""
    id_of(model, type(model).__name__)
    return read(model, "id")


default_loaders: Final = Loaders()
"""Of the application: filled once, at its start."""
