"""Types for record sets that are written by hand, for your type checker.

::

    from publisher.records import Records

    records: Records = {"comments": [{"id": 1, "body": "hello", "author_id": 7}]}
    publisher.publish_records(records, group_id=1)

Every key but ``id`` may be missing: the client keeps what it knew. Moments are text in ISO 8601.
Collections that Loomio's client does not know are left out here, as they are there.
"""

from __future__ import annotations

from typing import TypedDict

from publisher.records.decisions import Outcome, Poll, PollOption, Stance
from publisher.records.people import (
    Group,
    MemberEmailAlias,
    Membership,
    MembershipRequest,
    Tag,
    User,
)
from publisher.records.reference import Reference
from publisher.records.settings import Chatbot, DiscussionTemplate, Document, PollTemplate, Task
from publisher.records.threads import (
    Comment,
    Discussion,
    DiscussionReader,
    Event,
    Notification,
    Reaction,
    Translation,
)


class Records(TypedDict, total=False):
    """Records by collection."""

    users: list[User]
    groups: list[Group]
    parent_groups: list[Group]
    memberships: list[Membership]
    membership_requests: list[MembershipRequest]
    member_email_aliases: list[MemberEmailAlias]
    tags: list[Tag]
    events: list[Event]
    parent_events: list[Event]
    discussions: list[Discussion]
    discussion_readers: list[DiscussionReader]
    comments: list[Comment]
    reactions: list[Reaction]
    translations: list[Translation]
    notifications: list[Notification]
    polls: list[Poll]
    poll_options: list[PollOption]
    stances: list[Stance]
    outcomes: list[Outcome]
    tasks: list[Task]
    documents: list[Document]
    chatbots: list[Chatbot]
    poll_templates: list[PollTemplate]
    discussion_templates: list[DiscussionTemplate]


__all__ = [
    "Chatbot",
    "Comment",
    "Discussion",
    "DiscussionReader",
    "DiscussionTemplate",
    "Document",
    "Event",
    "Group",
    "MemberEmailAlias",
    "Membership",
    "MembershipRequest",
    "Notification",
    "Outcome",
    "Poll",
    "PollOption",
    "PollTemplate",
    "Reaction",
    "Records",
    "Reference",
    "Stance",
    "Tag",
    "Task",
    "Translation",
    "User",
]
