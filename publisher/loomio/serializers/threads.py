"""Threads: events, discussions, comments, and what belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from publisher.loomio.serializers.facts import (
    associated,
    has,
    has_translation,
    inside,
    is_discarded,
    is_for_somebody,
    is_markdown,
    own,
    translation_of,
)
from publisher.loomio.serializers.people import AuthorSerializer, GroupSerializer
from publisher.serializers.fields import Attribute, Attributes, HasMany, HasOne, Hidden
from publisher.serializers.read import read
from publisher.serializers.serializer import Serializer

if TYPE_CHECKING:
    from publisher.serializers.scope import Scope

_KINDS_WITH_CUSTOM_FIELDS: Final = frozenset(
    {"poll_edited", "discussion_edited", "discussion_moved"}
)
_EVENTABLES: Final = frozenset(
    {
        *("Comment", "Discussion", "Poll", "Stance", "Outcome", "Reaction", "Membership"),
        *("Group", "MembershipRequest"),
    }
)


def _has_source_group(event: Any, scope: Scope) -> bool:
    is_moved = read(event, "kind") == "discussion_moved"
    return is_moved and inside("custom_fields", "source_group_id")(event, scope) is not None


_KNOW_PARENTS: Final = frozenset({"Event", "Discussion", "Poll"})
"""Where Rails loads the events before those that come along: elsewhere they have no parent."""


def _parent(event: Any, scope: Scope) -> Any:
    """As Rails finds it: in its cache, or not at all."""
    return associated(event, scope, "parent") if scope.published in _KNOW_PARENTS else None


class EventSerializer(Serializer[Any], is_ready_made=True, model="Event"):
    """Something that has happened in a thread."""

    attributes = Attributes(
        *("id", "sequence_id", "position", "depth", "child_count", "descendant_count", "kind"),
        *("discussion_id", "created_at", "eventable_id", "eventable_type", "custom_fields"),
        *("pinned", "pinned_title", "parent_id", "actor_id", "position_key"),
        "recipient_message",
    )
    custom_fields = Attribute(
        when=lambda event, _: read(event, "kind") in _KINDS_WITH_CUSTOM_FIELDS
    )
    pinned_title = Attribute(get=inside("custom_fields", "pinned_title"))
    position_key = Attribute(
        get=lambda event, _: (
            "00000" if read(event, "kind") == "new_discussion" else read(event, "position_key")
        )
    )

    actor = HasOne(serializer=AuthorSerializer, root="users", is_optional=True)
    eventable = HasOne(polymorphic=True, type_from="eventable_type", only=_EVENTABLES)
    discussion = HasOne(serializer="DiscussionSerializer", is_optional=True)
    parent = HasOne(serializer="EventSerializer", root="parent_events", get=_parent)
    source_group = HasOne(serializer=GroupSerializer, root="groups", when=_has_source_group)


class NotifiedEventSerializer(EventSerializer, omit=("discussion", "parent"), is_ready_made=True):
    """An event that somebody is notified of: ``Notification::EventSerializer``."""


def _unsaved_reader(discussion: Any, scope: Scope) -> dict[str, object]:
    """Of somebody who has not been in the thread: as loud as the user's membership."""
    group = associated(discussion, scope, "group")
    membership = group and own(group, scope, "current_user_membership", "user_id")
    return {
        "id": None,
        "user_id": scope.current_user_id,
        "volume": read(membership, "volume", "normal") if membership else "normal",
        "last_read_at": None,
        "dismissed_at": None,
        "read_ranges": [],
        "revoked_at": None,
        "inviter_id": None,
        "guest": False,
        "admin": False,
    }


def _reader(name: str) -> Attribute:
    """Something of the reader's own: only in messages to that reader."""

    def find(discussion: Any, scope: Scope) -> object:
        reader = own(discussion, scope, "reader", "user_id")
        return read(_unsaved_reader(discussion, scope) if reader is None else reader, name)

    return Attribute(get=find, when=is_for_somebody)


class DiscussionSerializer(Serializer[Any], is_ready_made=True, model="Discussion"):
    """A thread. The association ``reader`` is the reader of the user who gets the message."""

    attributes = Attributes(
        *("id", "key", "group_id", "title", "tags", "content_locale", "description"),
        *("description_format", "discussion_template_id", "ranges", "items_count"),
        *("last_comment_at", "last_activity_at", "closed_at", "closer_id", "seen_by_count"),
        *("members_count", "created_at", "updated_at", "private", "versions_count", "pinned_at"),
        *("attachments", "link_previews", "mentioned_usernames", "newest_first", "max_depth"),
        *("discarded_at", "translation_id", "discussion_reader_id", "discussion_reader_volume"),
        *("discussion_reader_user_id", "last_read_at", "dismissed_at", "read_ranges"),
        *("revoked_at", "inviter_id", "guest", "admin"),
    )
    hidden = Hidden("title", "description", when=is_discarded)
    needs: ClassVar[tuple[str, ...]] = ("reader",)
    mentioned_usernames = Attribute(when=is_markdown("description_format"))
    translation_id = Attribute(
        get=lambda model, scope: read(translation_of(model, scope), "id"), when=has_translation
    )
    discussion_reader_id = _reader("id")
    discussion_reader_volume = _reader("volume")
    discussion_reader_user_id = _reader("user_id")
    last_read_at = _reader("last_read_at")
    dismissed_at = _reader("dismissed_at")
    read_ranges = _reader("read_ranges")
    revoked_at = _reader("revoked_at")
    inviter_id = _reader("inviter_id")
    guest = _reader("guest")
    admin = _reader("admin")

    author = HasOne(serializer=AuthorSerializer, root="users")
    group = HasOne(serializer=GroupSerializer, when=has("group_id"))
    active_polls = HasMany(serializer="PollSerializer", root="polls", is_optional=True)
    created_event = HasOne(serializer=EventSerializer, root="events", is_optional=True)
    forked_event = HasOne(serializer=EventSerializer, root="events", is_optional=True)
    closer = HasOne(serializer=AuthorSerializer, root="users", when=has("closer_id"))
    translation = HasOne(
        serializer="TranslationSerializer", get=translation_of, when=has_translation
    )


def _author_id(comment: Any, scope: Scope) -> object:
    del scope
    user_id = read(comment, "user_id", None)
    return read(comment, "author_id", None) if user_id is None else user_id


class CommentSerializer(Serializer[Any], is_ready_made=True, model="Comment"):
    """A comment; its author stands in the column ``user_id``."""

    attributes = Attributes(
        *("id", "body", "body_format", "mentioned_usernames", "discussion_id", "created_at"),
        *("updated_at", "parent_id", "parent_type", "content_locale", "versions_count"),
        *("attachments", "link_previews", "author_id", "discarded_at"),
    )
    hidden = Hidden("body", when=is_discarded)
    needs: ClassVar[tuple[str, ...]] = ("parent",)
    mentioned_usernames = Attribute(when=is_markdown("body_format"))
    author_id = Attribute(get=_author_id)

    author = HasOne(serializer=AuthorSerializer, root="users")
    discussion = HasOne(serializer=DiscussionSerializer)


class ReactionSerializer(Serializer[Any], is_ready_made=True, model="Reaction"):
    """A reaction to something."""

    attributes = Attributes("id", "reaction", "reactable_id", "reactable_type", "user_id")

    user = HasOne(serializer=AuthorSerializer, root="users")


class TranslationSerializer(Serializer[Any], is_ready_made=True, model="Translation"):
    """A translation of a record's fields."""

    attributes = Attributes("translatable_id", "translatable_type", "fields", "language", "id")
