"""Polls, their options, what people have said, and what came of it."""

from __future__ import annotations

from typing import Required, TypedDict


class Poll(TypedDict, total=False):
    """A poll or proposal."""

    id: Required[int]
    limit_reason_length: bool | None
    attachments: list[dict[str, object]] | None
    agree_target: int | None
    author_id: int | None
    anonymous: bool | None
    can_respond_maybe: bool | None
    chart_type: str | None
    chart_column: str | None
    closed_at: str | None
    closing_at: str | None
    created_at: str | None
    content_locale: str | None
    cast_stances_pct: int | None
    decided_voters_count: int | None
    details: str | None
    details_format: str | None
    discarded_at: str | None
    discarded_by: int | None
    discussion_id: int | None
    group_id: int | None
    hide_results: str | int | None
    key: str | None
    link_previews: list[dict[str, object]] | None
    mentioned_usernames: list[str] | None
    notify_on_closing_soon: str | int | None
    poll_type: str | None
    poll_option_names: list[str]
    poll_option_name_format: str | None
    results: list[dict[str, object]]
    result_columns: list[str]
    reason_prompt: str | None
    shuffle_options: bool | None
    show_none_of_the_above: bool | None
    stance_counts: list[int] | None
    specified_voters_only: bool | None
    total_score: int | float | None
    title: str | None
    tags: list[str]
    undecided_voters_count: int | None
    voter_can_add_options: bool | None
    voters_count: int | None
    stance_reason_required: str | int | None
    versions_count: int | None
    dots_per_person: int | None
    max_score: int | None
    min_score: int | None
    minimum_stance_choices: int | None
    maximum_stance_choices: int | None
    meeting_duration: int | None
    poll_template_id: int | str | None
    poll_template_key: str | None
    quorum_pct: int | None
    quorum_count: int | None
    quorum_votes_required: int | None
    created_event_id: int | None
    current_outcome_id: int | None
    my_stance_id: int | None
    poll_option_ids: list[int]


class PollOption(TypedDict, total=False):
    """What can be chosen."""

    id: Required[int]
    poll_id: int | None
    name: str | None
    priority: int | None
    color: str | None
    icon: str | None
    meaning: str | None
    prompt: str | None
    test_operator: str | None
    test_percent: int | None
    test_against: str | None


class Stance(TypedDict, total=False):
    """What somebody has chosen, and why."""

    id: Required[int]
    reason: str | None
    reason_format: str | None
    content_locale: str | None
    latest: bool | None
    admin: bool | None
    guest: bool | None
    none_of_the_above: bool | None
    cast_at: str | None
    mentioned_usernames: list[str]
    created_at: str | None
    locale: str | None
    versions_count: int | None
    attachments: list[dict[str, object]]
    link_previews: list[dict[str, object]]
    volume: str | int | None
    inviter_id: int | None
    poll_id: int | None
    participant_id: int | None
    revoked_at: str | None
    order_at: str | None
    option_scores: dict[str, int]


class Outcome(TypedDict, total=False):
    """What came of a poll."""

    id: Required[int]
    statement: str | None
    statement_format: str | None
    content_locale: str | None
    latest: bool | None
    created_at: str | None
    event_summary: str | None
    event_location: str | None
    attachments: list[dict[str, object]]
    link_previews: list[dict[str, object]]
    review_on: str | None
    poll_id: int | None
    poll_option_id: int | None
    group_id: int | None
    author_id: int | None
    versions_count: int | None
