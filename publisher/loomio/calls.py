"""Every place in Loomio that publishes, as a function: what goes to which room, for whom.

Each takes a publisher or, for many messages in one round trip and for asyncio, a batch::

    with publisher.batch() as batch:
        loomio.event_live_update(batch, event)

Models are Loomio's own, or have their attribute names. ``docs/publishing.md`` has the table from
Ruby files to these functions. Source: the wire contract, 1.6, and loomio/loomio, 2024-07 to
2026-01.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, Protocol, TypeAlias

from publisher.batch import Batch
from publisher.errors import InvalidMessage
from publisher.loomio.serializers.people import AuthorSerializer
from publisher.loomio.serializers.threads import DiscussionSerializer
from publisher.not_loaded import reading
from publisher.serializers.read import id_of, read
from publisher.serializers.walk import as_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from publisher.contract.ids import Id

P = ParamSpec("P")

NEWEST_NOTIFICATIONS: Final = 30
"""How many Loomio shows when the panel is opened."""

OUTDATED_STANCES: Final = 50
"""How many Loomio sends at once."""

_OWNERS: Final = ("discussion", "poll", "reactable")
"""Through which a record without a group of its own belongs to one, in this order."""


class CollectsBatches(Protocol):
    """A ``Publisher``."""

    def batch(self) -> AbstractContextManager[Batch]:
        """As ``Publisher.batch``."""
        ...


Target: TypeAlias = Batch | CollectsBatches


def _call_site(
    call: Callable[Concatenate[Batch, P], None],
) -> Callable[Concatenate[Target, P], None]:
    """Take a publisher as well as a batch, and publish all of a call or nothing."""

    @functools.wraps(call)
    def publish(target: Target, /, *args: P.args, **kwargs: P.kwargs) -> None:
        if isinstance(target, Batch):
            _collect(target, *args, **kwargs)
            return
        collecting = target.batch()
        if not hasattr(collecting, "__enter__"):
            raise InvalidMessage(
                "target", "is asynchronous: pass a batch, of `async with publisher.batch()`"
            )
        with collecting as batch:
            _collect(batch, *args, **kwargs)

    def _collect(batch: Batch, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with reading("models"):
                call(batch, *args, **kwargs)
        except AttributeError as error:
            raise InvalidMessage("models", f"cannot be read: {error}") from error

    return publish


def _is_a(model: Any, kind: str, declared: object) -> bool:
    """Whether it is of a class; of a mapping only its owner can say."""
    return declared == kind or any(base.__name__ == kind for base in type(model).__mro__)


def _group_id_of(model: Any, kind: object = None) -> Any:
    """The group that a record belongs to, itself or by its thread; None if there is none."""
    if _is_a(model, "Group", kind):
        return read(model, "id")
    group_id = _own_group_id_of(model)
    if group_id is not None:
        return group_id
    owners = (read(model, name, None) for name in _OWNERS)
    return next((_group_id_of(owner) for owner in owners if owner is not None), None)


def _own_group_id_of(model: Any) -> Any:
    """The group that a record itself is in; None if there is none."""
    group_id = read(model, "group_id", None)
    group = None if group_id is not None else read(model, "group", None)
    return group_id if group is None else read(group, "id")


def _guest_ids_of(model: Any, kind: object = None) -> list[Id]:
    """Who sees a record without being in its group; a comment's are those of its thread."""
    guests = read(model, "guests", None)
    if guests is None and _is_a(model, "Comment", kind):
        guests = read(read(model, "discussion"), "guests", None)
    if hasattr(guests, "all"):  # a relation of Django's, which can be called, too
        guests = guests.all()
    elif callable(guests):
        guests = guests()
    return [id_of(guest, "guests") for guest in as_list(guests)]


def _to_group(batch: Batch, models: Any, group_id: Any, **how: Any) -> None:
    """Publish to a group; to nobody if there is none, as Loomio does."""
    if group_id is None:
        batch.publish_models(models, to_nobody=True, **how)
    else:
        batch.publish_models(models, group_id=group_id, **how)


def _to_group_and_guests(
    batch: Batch, models: list[Any], record: Any, kind: object = None
) -> None:
    group_id, guest_ids = _group_id_of(record, kind), _guest_ids_of(record, kind)
    if group_id is not None:
        batch.publish_models(models, group_id=group_id)
    for guest_id in guest_ids:
        batch.publish_models(models, user_id=guest_id)


# ── events and notifications ────────────────────────────────────────────────────────────────────


@_call_site
def event_live_update(batch: Batch, event: Any) -> None:
    """Something has happened in a thread: to its group, and to each guest as that guest sees it.

    Also for stances that were created or updated, comments, reactions, outcomes, …: whatever is an
    event with a live update.
    """
    eventable = read(event, "eventable", None)
    if eventable is not None:
        _to_group_and_guests(batch, [event], eventable, read(event, "eventable_type", None))


@_call_site
def notification(batch: Batch, notification: Any) -> None:
    """Somebody is notified in the application."""
    batch.publish_models([notification], user_id=read(notification, "user_id"))


@_call_site
def notifications_read(batch: Batch, notifications: Iterable[Any], user_id: Id) -> None:
    """Notifications were just marked as viewed: to the other tabs of their user."""
    batch.publish_models(notifications, user_id=user_id)


@_call_site
def notifications_viewed(batch: Batch, notifications: Iterable[Any], user_id: Id) -> None:
    """The panel was opened: the newest ones, up to 30, newest first."""
    batch.publish_models(as_list(notifications)[:NEWEST_NOTIFICATIONS], user_id=user_id)


@_call_site
def system_notice(
    batch: Batch, notice: str | None, *, version: str | None = None, reload: bool = False
) -> None:
    """A notice to everybody who has a page open; None takes it away."""
    batch.publish_system_notice(notice, version=version, reload=reload)


# ── discussions ─────────────────────────────────────────────────────────────────────────────────


@_call_site
def discussion_read(batch: Batch, reader: Any) -> None:
    """A user has read, seen or dismissed a thread: to the user's other tabs."""
    batch.publish_models(
        [read(reader, "discussion")],
        serializer=DiscussionSerializer,
        root="discussions",
        user_id=read(reader, "user_id"),
    )


@_call_site
def discussion_closed(batch: Batch, discussion: Any) -> None:
    """A thread was closed, or opened again."""
    _to_group(batch, [discussion], _group_id_of(discussion))


@_call_site
def discussion_seen(batch: Batch, discussion: Any) -> None:
    """The number of those who have seen a thread has changed."""
    _to_group(batch, [discussion], _group_id_of(discussion))


@_call_site
def comments_moved(batch: Batch, events: Iterable[Any], group_id: Id | None) -> None:
    """Comments were moved to another thread: all events of that thread."""
    _to_group(batch, events, group_id)


# ── polls ───────────────────────────────────────────────────────────────────────────────────────


@_call_site
def poll_discarded(batch: Batch, poll: Any) -> None:
    """A poll was taken back: the event of its creation, with the poll as it is now."""
    _to_group(batch, [read(poll, "created_event")], _group_id_of(poll))


@_call_site
def stance_replaced(batch: Batch, previous: Any) -> None:
    """Somebody has voted anew: the old stance, which is not the latest any more.

    In a poll without a group it reaches nobody, as in Loomio.
    """
    poll = read(previous, "poll")
    _to_group(batch, [previous], _own_group_id_of(poll))


@_call_site
def stances_outdated(batch: Batch, stances: Iterable[Any], poll: Any) -> None:
    """Old stances that have answers, up to 50, newest first. Serialised for the group."""
    _to_group(batch, as_list(stances)[:OUTDATED_STANCES], _group_id_of(poll))


@_call_site
def poll_template_settings_changed(batch: Batch, group: Any) -> None:
    """A group shows its poll templates in another way."""
    _to_group(batch, [group], read(group, "id"))


# ── everything else ─────────────────────────────────────────────────────────────────────────────


@_call_site
def task_done(batch: Batch, record: Any) -> None:
    """A box was ticked, or unticked, in a text: the record with that text."""
    _to_group_and_guests(batch, [record], record)


@_call_site
def tag_changed(batch: Batch, tag: Any) -> None:
    """A tag was made or changed."""
    _to_group(batch, [tag], _group_id_of(tag))


@_call_site
def translations_updated(batch: Batch, translations: Iterable[Any], group_id: Id | None) -> None:
    """A record that was translated has changed: its translations, each in a message of its own."""
    for translation in as_list(translations):
        _to_group(batch, [translation], group_id)


@_call_site
def membership_titles_changed(batch: Batch, user: Any, group_id: Id) -> None:
    """A member's title, or role, in a group has changed."""
    _to_group(batch, [user], group_id, serializer=AuthorSerializer)


@_call_site
def transcript_appended(batch: Batch, record: Any) -> None:
    """What was said in a recording has been written down, at the end of a record's text."""
    _to_group(batch, [record], _group_id_of(record))
