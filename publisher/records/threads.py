"""Threads: events, discussions, comments, and what belongs to them."""

from __future__ import annotations

from typing import Required, TypedDict

from publisher.records.reference import Reference  # noqa: TC001 - pydantic reads it


class Event(TypedDict, total=False):
    """Something that has happened in a thread."""

    id: Required[int]
    sequence_id: int | None
    position: int | None
    depth: int | None
    child_count: int | None
    descendant_count: int | None
    kind: str | None
    discussion_id: int | None
    created_at: str | None
    eventable_id: int | None
    eventable_type: str | None
    custom_fields: dict[str, object]
    pinned: bool | None
    pinned_title: str | None
    parent_id: int | None
    actor_id: int | None
    position_key: str | None
    recipient_message: str | None
    eventable: Reference | None
    source_group_id: int | None


class Discussion(TypedDict, total=False):
    """A thread."""

    id: Required[int]
    key: str | None
    group_id: int | None
    title: str | None
    tags: list[str]
    content_locale: str | None
    description: str | None
    description_format: str | None
    discussion_template_id: int | str | None
    ranges: list[list[int]]
    items_count: int | None
    last_comment_at: str | None
    last_activity_at: str | None
    closed_at: str | None
    closer_id: int | None
    seen_by_count: int | None
    members_count: int | None
    created_at: str | None
    updated_at: str | None
    private: bool | None
    versions_count: int | None
    pinned_at: str | None
    attachments: list[dict[str, object]]
    link_previews: list[dict[str, object]]
    mentioned_usernames: list[str]
    newest_first: bool | None
    max_depth: int | None
    discarded_at: str | None
    translation_id: int | None
    discussion_reader_id: int | None
    discussion_reader_volume: str | None
    discussion_reader_user_id: int | None
    last_read_at: str | None
    dismissed_at: str | None
    read_ranges: list[list[int]]
    revoked_at: str | None
    inviter_id: int | None
    guest: bool | None
    admin: bool | None
    author_id: int | None
    created_event_id: int | None
    forked_event_id: int | None
    active_poll_ids: list[int]


class DiscussionReader(TypedDict, total=False):
    """How far somebody has read."""

    id: Required[int]
    key: str | None
    discussion_reader_id: int | None
    ranges: list[list[int]]
    read_ranges: list[list[int]]
    last_read_at: str | None
    seen_by_count: int | None
    discussion_reader_volume: str | None
    dismissed_at: str | None
    created_event_id: int | None


class Comment(TypedDict, total=False):
    """A comment."""

    id: Required[int]
    body: str | None
    body_format: str | None
    mentioned_usernames: list[str]
    discussion_id: int | None
    created_at: str | None
    updated_at: str | None
    parent_id: int | None
    parent_type: str | None
    content_locale: str | None
    versions_count: int | None
    attachments: list[dict[str, object]]
    link_previews: list[dict[str, object]]
    author_id: int | None
    discarded_at: str | None


class Reaction(TypedDict, total=False):
    """A reaction to something."""

    id: Required[int]
    reaction: str | None
    reactable_id: int | None
    reactable_type: str | None
    user_id: int | None


class Translation(TypedDict, total=False):
    """A translation of a record's fields."""

    id: Required[int]
    translatable_id: int | None
    translatable_type: str | None
    fields: dict[str, str | None]
    language: str | None


class Notification(TypedDict, total=False):
    """What one user is told of."""

    id: Required[int]
    viewed: bool | None
    created_at: str | None
    url: str | None
    kind: str | None
    actor_id: int | None
    event_id: int | None
    name: str | None
    title: str | None
    poll_type: str | None
    reaction: str | None
    model: str | None
