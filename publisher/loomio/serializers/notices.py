"""Notifications: what one user is told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from publisher.loomio.serializers.facts import associated, inside
from publisher.loomio.serializers.people import AuthorSerializer
from publisher.loomio.serializers.threads import NotifiedEventSerializer
from publisher.serializers.fields import Attribute, Attributes, HasOne
from publisher.serializers.read import read
from publisher.serializers.serializer import Serializer

if TYPE_CHECKING:
    from publisher.serializers.scope import Scope


def _kind(notification: Any, scope: Scope) -> object:
    """The event's, with two exceptions: announcements, and mentions in an answer to oneself."""
    event = associated(notification, scope, "event")
    if event is None:
        return read(notification, "kind", None)
    kind = read(event, "kind")
    if kind == "announcement_created":
        return (read(event, "custom_fields", None) or {}).get("kind") or "group_announced"
    if kind == "user_mentioned" and _is_answer(notification, event, scope):
        return "comment_replied_to"
    return kind


def _is_answer(notification: Any, event: Any, scope: Scope) -> bool:
    eventable = associated(event, scope, "eventable")
    parent = None if eventable is None else associated(eventable, scope, "parent")
    recipient_id = read(notification, "user_id", None)
    if parent is None or recipient_id is None:
        return False
    return bool(read(parent, "user_id", read(parent, "author_id", None)) == recipient_id)


def _translated(name: str) -> Attribute:
    return Attribute(get=inside("translation_values", name))


class NotificationSerializer(Serializer[Any], is_ready_made=True, model="Notification"):
    """A notification; the recipient is only in the room."""

    attributes = Attributes(
        *("id", "viewed", "created_at", "url", "kind", "actor_id", "event_id", "name", "title"),
        *("poll_type", "reaction", "model"),
    )
    kind = Attribute(get=_kind)
    name = _translated("name")
    title = _translated("title")
    poll_type = _translated("poll_type")
    reaction = _translated("reaction")
    model = _translated("model")

    actor = HasOne(serializer=AuthorSerializer, root="users", is_optional=True)
    event = HasOne(serializer=NotifiedEventSerializer)
