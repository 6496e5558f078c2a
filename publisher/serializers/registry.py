"""Which serializer is for which models."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from publisher.errors import InvalidMessage
from publisher.serializers.read import CLASSES_MAX

if TYPE_CHECKING:
    from publisher.serializers.serializer import Serializer

    AnySerializer: TypeAlias = type[Serializer[Any]]


class Registry:
    """Serializers by the class of their models, and by their own name."""

    def __init__(self) -> None:
        self._by_name: dict[str, tuple[AnySerializer, ...]] = {}
        self._own: dict[type | str, AnySerializer] = {}
        self._ready_made: dict[type | str, AnySerializer] = {}
        self._found: dict[type, AnySerializer] = {}

    def add(
        self, serializer: AnySerializer, model: type | str | None, *, is_ready_made: bool
    ) -> None:
        """Note a serializer that was declared.

        Args:
            serializer: The class.
            model: Class of its models, or its name; None if it is only found by its own name.
            is_ready_made: One of the application comes before it.
        """
        same_name = self._by_name.get(serializer.__name__, ())
        self._by_name[serializer.__name__] = (*same_name, serializer)
        if model is not None:
            (self._ready_made if is_ready_made else self._own)[model] = serializer
            self._found.clear()

    def named(self, name: str, module: str) -> AnySerializer:
        """The serializer class with this name: of a module, else of its package, else the last one.

        Raises:
            InvalidMessage: If there is none.
        """
        found = getattr(sys.modules.get(module), name, None)
        if found is not None:
            return cast("AnySerializer", found)
        known = self._by_name.get(name)
        if known is None:
            raise InvalidMessage("serializer", f"{name} is not defined")
        package = module.partition(".")[0]
        near = [each for each in known if each.__module__.partition(".")[0] == package]
        return (near or known)[-1]

    def of(self, model: Any, type_name: object = None) -> AnySerializer:
        """The serializer that is declared for a model's class, or for one of its bases.

        The application's own come before the ready-made ones for Loomio's records, which are there if
        the application has imported them: a class of its own that is named ``Tag`` is none of these.

        Args:
            model: The model.
            type_name: Name of its class, for mappings, which have none.

        Raises:
            InvalidMessage: If there is none.
        """
        if type_name:
            return self._search([str(type_name)], str(type_name))
        kind = type(model)
        found = self._found.get(kind)
        if found is None:
            if model.__class__ is not kind:
                kind = model.__class__  # it stands for another, as request.user in Django
            keys = [key for base in kind.__mro__ for key in (base, base.__name__)]
            found = self._search(keys, kind.__name__)
            if kind is not type(model):
                return found
            if len(self._found) >= CLASSES_MAX:
                self._found.clear()
            self._found[kind] = found
        return found

    def _search(self, keys: list[type | str], kind: str) -> AnySerializer:
        for known in (self._own, self._ready_made):
            for key in keys:
                if key in known:
                    return known[key]
        raise InvalidMessage(
            "models",
            f"are of a type without a serializer: {kind}; declare one with model={kind}, and import "
            "it when the application starts, or pass serializer=... (for Loomio's own records import "
            "publisher.loomio.serializers)",
        )


registry: Final = Registry()
"""All that the process has declared."""
