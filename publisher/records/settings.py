"""What groups and people set up."""

from __future__ import annotations

from typing import Required, TypedDict

from publisher.records.reference import Reference  # noqa: TC001 - pydantic reads it


class Task(TypedDict, total=False):
    """A check box in a text."""

    id: Required[int]
    name: str | None
    author_id: int | None
    uid: int | str | None
    done: bool | None
    done_at: str | None
    due_on: str | None
    record_type: str | None
    record_id: int | None
    record: Reference | None


class Document(TypedDict, total=False):
    """A file or a link."""

    id: Required[int]
    title: str | None
    icon: str | None
    color: str | None
    url: str | None
    web_url: str | None
    thumb_url: str | None
    model_id: int | None
    model_type: str | None
    created_at: str | None
    group_id: int | None
    manual_url: bool | None
    author_id: int | None


class Chatbot(TypedDict, total=False):
    """A bot of a group."""

    id: Required[int]
    kind: str | None
    group_id: int | None
    server: str | None
    channel: str | None
    event_kinds: list[str]
    name: str | None


class PollTemplate(TypedDict, total=False):
    """How a group makes its polls."""

    id: Required[int]
    key: str | None
    group_id: int | None
    position: int | None
    author_id: int | None
    poll_type: str | None
    process_name: str | None
    process_subtitle: str | None
    process_url: str | None
    tags: list[str]
    title: str | None
    details: str | None
    details_format: str | None
    anonymous: bool | None
    specified_voters_only: bool | None
    notify_on_closing_soon: str | int | None
    content_locale: str | None
    shuffle_options: bool | None
    allow_long_reason: bool | None
    hide_results: str | int | None
    chart_type: str | None
    min_score: int | None
    max_score: int | None
    minimum_stance_choices: int | None
    maximum_stance_choices: int | None
    dots_per_person: int | None
    reason_prompt: str | None
    poll_options: list[dict[str, object]]
    poll_option_name_format: str | None
    stance_reason_required: str | int | None
    limit_reason_length: bool | None
    default_duration_in_days: int | None
    agree_target: int | None
    created_at: str | None
    updated_at: str | None
    discarded_at: str | None


class DiscussionTemplate(TypedDict, total=False):
    """How a group begins its threads."""

    id: Required[int]
    key: str | None
    group_id: int | None
    position: int | None
    author_id: int | None
    process_name: str | None
    process_subtitle: str | None
    process_introduction: str | None
    process_introduction_format: str | None
    tags: list[str]
    title: str | None
    title_placeholder: str | None
    description: str | None
    description_format: str | None
    content_locale: str | None
    created_at: str | None
    updated_at: str | None
    discarded_at: str | None
    max_depth: int | None
    newest_first: bool | None
    poll_template_keys_or_ids: list[str | int]
    poll_template_ids: list[int]
