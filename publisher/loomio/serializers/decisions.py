"""Decisions: polls, their options, what people have said, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from publisher.loomio.serializers.facts import associated, has, is_discarded, is_markdown, own
from publisher.loomio.serializers.people import AuthorSerializer, GroupSerializer
from publisher.loomio.serializers.threads import DiscussionSerializer, EventSerializer
from publisher.serializers.fields import Attribute, Attributes, HasMany, HasOne, Hidden
from publisher.serializers.read import read
from publisher.serializers.serializer import Serializer

if TYPE_CHECKING:
    from publisher.serializers.scope import Scope


def _shows_results(poll: Any, scope: Scope) -> bool:
    """As ``poll.show_results?(voted: true)``: the model says so, else its columns do."""
    del scope
    shows = read(poll, "show_results", None)
    if shows is None:
        is_waiting = read(poll, "hide_results", None) == "until_closed"
        return not is_waiting or read(poll, "closed_at", None) is not None
    return bool(shows(voted=True) if callable(shows) else shows)


def _my_stance(poll: Any, scope: Scope) -> Any:
    return own(poll, scope, "my_stance", "participant_id")


class PollSerializer(Serializer[Any], is_ready_made=True, model="Poll"):
    """A poll or proposal. The association ``my_stance`` is the reader's own, latest stance."""

    attributes = Attributes(
        *("id", "limit_reason_length", "attachments", "agree_target", "author_id", "anonymous"),
        *("can_respond_maybe", "chart_type", "chart_column", "closed_at", "closing_at"),
        *("created_at", "content_locale", "cast_stances_pct", "decided_voters_count", "details"),
        *("details_format", "discarded_at", "discarded_by", "discussion_id", "group_id"),
        *("hide_results", "key", "link_previews", "mentioned_usernames"),
        *("notify_on_closing_soon", "poll_type", "poll_option_names", "poll_option_name_format"),
        *("results", "result_columns", "reason_prompt", "shuffle_options"),
        *("show_none_of_the_above", "stance_counts", "specified_voters_only", "total_score"),
        *("title", "tags", "undecided_voters_count", "voter_can_add_options", "voters_count"),
        *("stance_reason_required", "versions_count", "dots_per_person", "max_score", "min_score"),
        *("minimum_stance_choices", "maximum_stance_choices", "meeting_duration"),
        *("poll_template_id", "poll_template_key", "quorum_pct", "quorum_count"),
        "quorum_votes_required",
    )
    hidden = Hidden(
        *("attachments", "link_previews", "author_id", "anonymous", "can_respond_maybe"),
        *("closed_at", "closing_at", "created_at", "content_locale", "cast_stances_pct"),
        *("decided_voters_count", "details", "details_format", "hide_results"),
        *("limit_reason_length", "notify_on_closing_soon", "poll_type"),
        *("mentioned_usernames", "shuffle_options", "stance_counts", "total_score"),
        *("specified_voters_only", "title", "undecided_voters_count"),
        *("voter_can_add_options", "voters_count", "stance_reason_required"),
        *("versions_count", "meeting_duration"),
        when=is_discarded,
    )
    mentioned_usernames = Attribute(when=is_markdown("details_format"))
    results = Attribute(when=_shows_results)
    stance_counts = Attribute(when=_shows_results)

    discussion = HasOne(serializer=DiscussionSerializer, is_optional=True)
    created_event = HasOne(serializer=EventSerializer, root="events", is_optional=True)
    group = HasOne(serializer=GroupSerializer, when=has("group_id"))
    author = HasOne(serializer=AuthorSerializer, root="users")
    current_outcome = HasOne(serializer="OutcomeSerializer", root="outcomes", is_optional=True)
    my_stance = HasOne(
        serializer="StanceSerializer",
        root="stances",
        get=_my_stance,
        when=lambda poll, scope: _my_stance(poll, scope) is not None,
    )
    poll_options = HasMany(serializer="PollOptionSerializer")


class PollOptionSerializer(Serializer[Any], is_ready_made=True, model="PollOption"):
    """What can be chosen."""

    attributes = Attributes(
        *("id", "poll_id", "name", "priority", "color", "icon", "meaning", "prompt"),
        *("test_operator", "test_percent", "test_against"),
    )


def _is_told(stance: Any, scope: Scope) -> bool:
    """One's own stance, or one of a poll that shows its results."""
    if scope.is_current_user(read(stance, "participant_id")):
        return True
    poll = associated(stance, scope, "poll")
    return poll is not None and _shows_results(poll, scope)


def _is_told_in_markdown(stance: Any, scope: Scope) -> bool:
    return _is_told(stance, scope) and read(stance, "reason_format", None) == "md"


def _participant(stance: Any, scope: Scope) -> Any:
    """Nobody if the poll is anonymous, not even for oneself."""
    poll = associated(stance, scope, "poll")
    if poll is not None and read(poll, "anonymous"):
        return None
    return associated(stance, scope, "participant")


def _participant_id(stance: Any, scope: Scope) -> object:
    poll = associated(stance, scope, "poll")
    is_anonymous = poll is not None and read(poll, "anonymous")
    return None if is_anonymous else read(stance, "participant_id")


def _locale(stance: Any, scope: Scope) -> object:
    """The participant's, else the group's."""
    participant = associated(stance, scope, "participant")
    locale = None if participant is None else read(participant, "locale", None)
    poll = associated(stance, scope, "poll")
    group = None if locale is not None or poll is None else associated(poll, scope, "group")
    return locale if group is None else read(group, "locale", None)


class StanceSerializer(Serializer[Any], is_ready_made=True, model="Stance"):
    """What somebody has chosen, and why."""

    attributes = Attributes(
        *("id", "reason", "reason_format", "content_locale", "latest", "admin", "guest"),
        *("none_of_the_above", "cast_at", "mentioned_usernames", "created_at", "locale"),
        *("versions_count", "attachments", "link_previews", "volume", "inviter_id", "poll_id"),
        *("participant_id", "revoked_at", "order_at", "option_scores"),
    )
    reason = Attribute(when=_is_told)
    mentioned_usernames = Attribute(when=_is_told_in_markdown)
    locale = Attribute(get=_locale)
    attachments = Attribute(when=_is_told)
    link_previews = Attribute(when=_is_told)
    participant_id = Attribute(get=_participant_id)
    order_at = Attribute(
        get=lambda stance, _: read(stance, "cast_at", None) or read(stance, "created_at")
    )
    option_scores = Attribute(when=_is_told)

    poll = HasOne(serializer=PollSerializer)
    participant = HasOne(serializer=AuthorSerializer, root="users", get=_participant)


def _group_id(outcome: Any, scope: Scope) -> object:
    poll = associated(outcome, scope, "poll")
    return read(outcome, "group_id", None) if poll is None else read(poll, "group_id")


class OutcomeSerializer(Serializer[Any], is_ready_made=True, model="Outcome"):
    """What came of a poll. Its ``secret_token`` is not published."""

    attributes = Attributes(
        *("id", "statement", "statement_format", "content_locale", "latest", "created_at"),
        *("event_summary", "event_location", "attachments", "link_previews", "review_on"),
        *("poll_id", "poll_option_id", "group_id", "author_id", "versions_count"),
    )
    needs: ClassVar[tuple[str, ...]] = ("poll",)
    group_id = Attribute(get=_group_id)

    author = HasOne(serializer=AuthorSerializer, root="users")
