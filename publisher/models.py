"""From models to messages: what ``MessageChannelService.publish_models`` is in Rails. Pure."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, TypedDict

from publisher.messages import records_commands
from publisher.rooms import Where, rooms_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from publisher.command import Command
    from publisher.serializers import Serializer


class How(TypedDict, total=False):
    """How models become records.

    Attributes:
        serializer: For each of them; the one of the first model's class if omitted.
        scope: What attributes and associations may depend on, such as ``include_email``.
        root: Collection of the models; the serializer's if omitted.
        omit_empty: Leave out collections in which there is nothing.
    """

    serializer: type[Serializer[Any]] | None
    scope: Mapping[str, Any] | None
    root: str | None
    omit_empty: bool


class HowAndWhere(How, Where, total=False):
    """How models become records, and to whom these go."""


def models_commands(
    models: Any,
    *,
    serializer: type[Serializer[Any]] | None = None,
    scope: Mapping[str, Any] | None = None,
    root: str | None = None,
    omit_empty: bool = False,
    **where: Unpack[Where],
) -> list[Command]:
    """Announce models to rooms; arguments as of ``How`` and ``Where``.

    A message to a group is serialised for nobody in particular, also if a user is named. (Rails
    serialises it as that user sees it, and sends that to the whole group.) A message to a user is
    serialised for that user.

    Returns:
        As ``records_commands``. Empty if there are no models.

    Raises:
        InvalidMessage: If an id is wrong, or a model cannot be serialised.
    """
    # Later: half of what `import publisher` would take, for programs that publish no models.
    from publisher.serializers import serialize_models  # noqa: PLC0415

    rooms = rooms_of(**where)
    if len(rooms) > 1 and hasattr(models, "__next__"):
        models = list(models)  # it is gone through once for each reader
    made: list[Command] = []
    for reader, theirs in itertools.groupby(rooms, lambda room: room.reader):
        records = serialize_models(
            models,
            serializer=serializer,
            scope=scope,
            root=root,
            current_user_id=reader,
            omit_empty=omit_empty,
        )
        made += records_commands(records, list(theirs), is_finite=True)
    return made
