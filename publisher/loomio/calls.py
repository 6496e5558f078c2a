"""Every place in Loomio that publishes, as a function: what goes to which room, for whom.

Each takes a publisher or, for many messages in one round trip and for asyncio, a batch::

    with publisher.batch() as batch:
        loomio.event_live_update(batch, event)

Models are Loomio's own, or have their attribute names. ``docs/publishing.md`` has the table from
Ruby files to these functions. Source: the wire contract, 1.6, and loomio/loomio, 2024-07 to
2026-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from publisher.loomio.serializers.people import AuthorSerializer
from publisher.loomio.serializers.threads import DiscussionSerializer
from publisher.serializers.read import id_of, read
from publisher.serializers.walk import as_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from publisher.serializers import Serializer

NEWEST_NOTIFICATIONS: Final = 30
"""How many Loomio shows when the panel is opened."""

OUTDATED_STANCES: Final = 50
"""How many Loomio sends at once."""

_OWNERS: Final = ("discussion", "poll", "reactable")
"""Through which a record without a group of its own belongs to one, in this order."""


class Target(Protocol):
    """A ``Publisher``, or a ``Batch`` of either kind of publisher."""

    def publish_models(
        self,
        models: object,
        *,
        serializer: type[Serializer[Any]] | None = None,
        scope: Mapping[str, Any] | None = None,
        root: str | None = None,
        group_id: int | None = None,
        user_id: int | None = None,
        omit_empty: bool = False,
    ) -> int | None:
        """As ``Publisher.publish_models``."""
        ...

    def publish_system_notice(
        self, notice: str | None, *, version: str | None = None, reload: bool = False
    ) -> int | None:
        """As ``Publisher.publish_system_notice``."""
        ...


def _group_id_of(model: Any) -> int | None:
    """The group that a record belongs to, itself or by its thread; None if there is none."""
    group_id = read(model, "group_id", None)
    if group_id is not None:
        return int(group_id)
    group = read(model, "group", None)
    if group is not None:
        return int(read(group, "id"))
    owners = (read(model, name, None) for name in _OWNERS)
    return next((_group_id_of(owner) for owner in owners if owner is not None), None)


def _guest_ids_of(model: Any) -> list[int]:
    """Who sees a record without being in its group; a comment's are those of its thread."""
    guests = read(model, "guests", None)
    if guests is None and type(model).__name__ == "Comment":
        guests = read(read(model, "discussion"), "guests", None)
    guests = guests() if callable(guests) else guests
    return [id_of(guest, "guests") for guest in as_list(guests)]


def _to_group_and_guests(target: Target, models: list[Any], record: Any) -> None:
    group_id = _group_id_of(record)
    if group_id is not None:
        target.publish_models(models, group_id=group_id)
    for guest_id in _guest_ids_of(record):
        target.publish_models(models, user_id=guest_id)


# ── events and notifications ────────────────────────────────────────────────────────────────────


def event_live_update(target: Target, event: Any) -> None:
    """Something has happened in a thread: to its group, and to each guest as that guest sees it.

    Also for stances that were created or updated, comments, reactions, outcomes, …: whatever is an
    event with a live update.
    """
    eventable = read(event, "eventable", None)
    if eventable is not None:
        _to_group_and_guests(target, [event], eventable)


def notification(target: Target, notification: Any) -> None:
    """Somebody is notified in the application."""
    target.publish_models([notification], user_id=read(notification, "user_id"))


def notifications_read(target: Target, notifications: Iterable[Any], user_id: int) -> None:
    """Notifications were just marked as viewed: to the other tabs of their user."""
    target.publish_models(notifications, user_id=user_id)


def notifications_viewed(target: Target, notifications: Iterable[Any], user_id: int) -> None:
    """The panel was opened: the newest ones, up to 30, newest first."""
    target.publish_models(as_list(notifications)[:NEWEST_NOTIFICATIONS], user_id=user_id)


def system_notice(
    target: Target, notice: str | None, *, version: str | None = None, reload: bool = False
) -> None:
    """A notice to everybody who has a page open; None takes it away."""
    target.publish_system_notice(notice, version=version, reload=reload)


# ── discussions ─────────────────────────────────────────────────────────────────────────────────


def discussion_read(target: Target, reader: Any) -> None:
    """A user has read, seen or dismissed a thread: to the user's other tabs."""
    target.publish_models(
        [read(reader, "discussion")],
        serializer=DiscussionSerializer,
        root="discussions",
        user_id=read(reader, "user_id"),
    )


def discussion_closed(target: Target, discussion: Any) -> None:
    """A thread was closed, or opened again."""
    target.publish_models([discussion], group_id=_group_id_of(discussion))


def discussion_seen(target: Target, discussion: Any) -> None:
    """The number of those who have seen a thread has changed."""
    target.publish_models([discussion], group_id=_group_id_of(discussion))


def comments_moved(target: Target, events: Iterable[Any], group_id: int | None) -> None:
    """Comments were moved to another thread: all events of that thread."""
    target.publish_models(events, group_id=group_id)


# ── polls ───────────────────────────────────────────────────────────────────────────────────────


def poll_discarded(target: Target, poll: Any) -> None:
    """A poll was taken back: the event of its creation, with the poll as it is now."""
    target.publish_models([read(poll, "created_event")], group_id=_group_id_of(poll))


def stance_replaced(target: Target, previous: Any) -> None:
    """Somebody has voted anew: the old stance, which is not the latest any more.

    In a poll without a group it reaches nobody, as in Loomio.
    """
    target.publish_models([previous], group_id=_group_id_of(read(previous, "poll")))


def stances_outdated(target: Target, stances: Iterable[Any], poll: Any) -> None:
    """Old stances that have answers, up to 50, newest first. Serialised for the group."""
    target.publish_models(as_list(stances)[:OUTDATED_STANCES], group_id=_group_id_of(poll))


def poll_template_settings_changed(target: Target, group: Any) -> None:
    """A group shows its poll templates in another way."""
    target.publish_models([group], group_id=read(group, "id"))


# ── everything else ─────────────────────────────────────────────────────────────────────────────


def task_done(target: Target, record: Any) -> None:
    """A box was ticked, or unticked, in a text: the record with that text."""
    _to_group_and_guests(target, [record], record)


def tag_changed(target: Target, tag: Any) -> None:
    """A tag was made or changed."""
    target.publish_models([tag], group_id=_group_id_of(tag))


def translations_updated(
    target: Target, translations: Iterable[Any], group_id: int | None
) -> None:
    """A record that was translated has changed: its translations, each in a message of its own."""
    for translation in as_list(translations):
        target.publish_models([translation], group_id=group_id)


def membership_titles_changed(target: Target, user: Any, group_id: int) -> None:
    """A member's title, or role, in a group has changed."""
    target.publish_models([user], serializer=AuthorSerializer, group_id=group_id)


def transcript_appended(target: Target, record: Any) -> None:
    """What was said in a recording has been written down, at the end of a record's text."""
    target.publish_models([record], group_id=_group_id_of(record))
