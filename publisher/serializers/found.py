"""What was loaded beforehand for the associations of models."""

from __future__ import annotations

from typing import Any, Final

from publisher.serializers.read import read

UNKNOWN: Final = object()
"""Nothing was loaded for this association: it has to be read from the model."""


class Found:
    """Associations by class, name and id of the model that has them."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], dict[Any, Any]] = {}

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
