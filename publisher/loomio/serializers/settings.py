"""What groups and people set up. Rails does not publish these; an application may."""

from __future__ import annotations

from typing import Any

from publisher.loomio.serializers.people import AuthorSerializer, GroupSerializer, UserSerializer
from publisher.loomio.serializers.threads import EventSerializer
from publisher.serializers.fields import Attribute, Attributes, HasMany, HasOne
from publisher.serializers.read import read
from publisher.serializers.serializer import Serializer


class TaskSerializer(Serializer[Any], is_ready_made=True, model="Task"):
    """A check box in a text."""

    attributes = Attributes(
        *("id", "name", "author_id", "uid", "done", "done_at", "due_on", "record_type"),
        "record_id",
    )

    record = HasOne(polymorphic=True, type_from="record_type")
    author = HasOne(serializer=AuthorSerializer, root="users")


class DocumentSerializer(Serializer[Any], is_ready_made=True, model="Document"):
    """A file or a link."""

    attributes = Attributes(
        *("id", "title", "icon", "color", "url", "web_url", "thumb_url", "model_id"),
        *("model_type", "created_at", "group_id", "manual_url"),
    )
    web_url = Attribute(when=lambda document, _: read(document, "doctype", None) == "image")
    thumb_url = Attribute(when=lambda document, _: read(document, "doctype", None) == "image")

    author = HasOne(serializer=UserSerializer, root="users")


class ChatbotSerializer(Serializer[Any], is_ready_made=True, model="Chatbot"):
    """A bot of a group; its access token is not published."""

    attributes = Attributes("id", "kind", "group_id", "server", "channel", "event_kinds", "name")


class DiscussionReaderSerializer(Serializer[Any], is_ready_made=True, model="DiscussionReader"):
    """How far somebody has read; published as a part of the discussion, under its id."""

    root = "discussions"
    attributes = Attributes(
        *("id", "key", "discussion_reader_id", "ranges", "read_ranges", "last_read_at"),
        *("seen_by_count", "discussion_reader_volume", "dismissed_at"),
    )
    id = Attribute(source="discussion_id")
    key = Attribute(get=lambda reader, _: read(read(reader, "discussion"), "key"))
    discussion_reader_id = Attribute(source="id")
    ranges = Attribute(get=lambda reader, _: read(read(reader, "discussion"), "ranges"))
    seen_by_count = Attribute(
        get=lambda reader, _: read(read(reader, "discussion"), "seen_by_count")
    )
    discussion_reader_volume = Attribute(source="volume")

    created_event = HasOne(
        serializer=EventSerializer,
        root="events",
        get=lambda reader, _: read(read(reader, "discussion"), "created_event", None),
    )


class PollTemplateSerializer(Serializer[Any], is_ready_made=True, model="PollTemplate"):
    """How a group makes its polls."""

    attributes = Attributes(
        *("id", "key", "group_id", "position", "author_id", "poll_type", "process_name"),
        *("process_subtitle", "process_url", "tags", "title", "details", "details_format"),
        *("anonymous", "specified_voters_only", "notify_on_closing_soon", "content_locale"),
        *("shuffle_options", "allow_long_reason", "hide_results", "chart_type", "min_score"),
        *("max_score", "minimum_stance_choices", "maximum_stance_choices", "dots_per_person"),
        *("reason_prompt", "poll_options", "poll_option_name_format", "stance_reason_required"),
        *("limit_reason_length", "default_duration_in_days", "agree_target", "created_at"),
        *("updated_at", "discarded_at"),
    )


class DiscussionTemplateSerializer(
    Serializer[Any], is_ready_made=True, model="DiscussionTemplate"
):
    """How a group begins its threads."""

    attributes = Attributes(
        *("id", "key", "group_id", "position", "author_id", "process_name", "process_subtitle"),
        *("process_introduction", "process_introduction_format", "tags", "title"),
        *("title_placeholder", "description", "description_format", "content_locale"),
        *("created_at", "updated_at", "discarded_at", "max_depth", "newest_first"),
        "poll_template_keys_or_ids",
    )

    group = HasOne(serializer=GroupSerializer)
    poll_templates = HasMany(serializer=PollTemplateSerializer)


class MemberEmailAliasSerializer(Serializer[Any], is_ready_made=True, model="MemberEmailAlias"):
    """Another address of a member."""

    attributes = Attributes("id", "email", "group_id", "user_id", "author_id", "created_at")

    user = HasOne(serializer=AuthorSerializer, root="users")
    author = HasOne(serializer=AuthorSerializer, root="users")
