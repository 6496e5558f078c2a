"""From models to a message: what ``MessageChannelService.publish_models`` is in Rails. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from publisher.messages import check_room, records_command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from publisher.command import Command
    from publisher.contract.ids import Id
    from publisher.serializers import Serializer


def models_command(
    models: Any,
    *,
    serializer: type[Serializer[Any]] | None,
    scope: Mapping[str, Any] | None,
    root: str | None,
    group_id: Id | None,
    user_id: Id | None,
    omit_empty: bool,
) -> Command | None:
    """Announce models to one room; arguments as for ``Publisher.publish_models``.

    A message to a group is serialised for nobody in particular, also if a user is named. (Rails
    serialises it as that user sees it, and sends that to the whole group.)

    Returns:
        As ``records_command``. None if there are no models.

    Raises:
        InvalidMessage: If an id is wrong, or a model cannot be serialised.
    """
    # Later: half of what `import publisher` would take, for programs that publish no models.
    from publisher.serializers import serialize_models  # noqa: PLC0415

    check_room(group_id, user_id)
    records = serialize_models(
        models,
        serializer=serializer,
        scope=scope,
        root=root,
        current_user_id=None if group_id is not None else user_id,
        omit_empty=omit_empty,
    )
    return records_command(records, group_id, user_id, is_finite=True)
