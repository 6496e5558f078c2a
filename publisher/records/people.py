"""People, groups, and who is in them."""

from __future__ import annotations

from typing import Required, TypedDict


class User(TypedDict, total=False):
    """A user."""

    id: Required[int]
    name: str | None
    email: str | None
    username: str | None
    avatar_initials: str | None
    avatar_kind: str | None
    thumb_url: str | None
    time_zone: str | None
    locale: str | None
    created_at: str | None
    titles: dict[str, str]
    delegates: dict[str, bool]
    placeholder_name: str | None
    email_verified: bool | None
    bot: bool | None
    short_bio: str | None
    short_bio_format: str | None
    content_locale: str | None
    location: str | None
    has_password: bool | None
    autodetect_time_zone: bool | None
    avatar_url: str | None
    attachments: list[dict[str, object]]
    date_time_pref: str | None


class Group(TypedDict, total=False):
    """A group."""

    id: Required[int]
    key: str | None
    handle: str | None
    name: str | None
    full_name: str | None
    description: str | None
    description_format: str | None
    logo_url: str | None
    created_at: str | None
    creator_id: int | None
    members_can_add_members: bool | None
    members_can_add_guests: bool | None
    members_can_announce: bool | None
    members_can_create_subgroups: bool | None
    members_can_start_discussions: bool | None
    members_can_edit_discussions: bool | None
    members_can_edit_comments: bool | None
    members_can_delete_comments: bool | None
    members_can_raise_motions: bool | None
    admins_can_edit_user_content: bool | None
    token: str | None
    polls_count: int | None
    closed_polls_count: int | None
    discussions_count: int | None
    public_discussions_count: int | None
    group_privacy: str | None
    memberships_count: int | None
    pending_memberships_count: int | None
    membership_granted_upon: str | None
    discussion_privacy_options: str | None
    has_discussions: bool | None
    admin_memberships_count: int | None
    archived_at: str | None
    attachments: list[dict[str, object]]
    new_threads_max_depth: int | None
    new_threads_newest_first: bool | None
    cover_url: str | None
    has_custom_cover: bool | None
    experiences: dict[str, object]
    features: dict[str, object]
    open_discussions_count: int | None
    closed_discussions_count: int | None
    recent_activity_count: int | None
    is_visible_to_public: bool | None
    is_subgroup_of_hidden_parent: bool | None
    is_visible_to_parent_members: bool | None
    parent_members_can_see_discussions: bool | None
    org_memberships_count: int | None
    org_discussions_count: int | None
    org_members_count: int | None
    subscription: dict[str, object] | None
    subgroups_count: int | None
    complete: bool | None
    parent_id: int | None
    current_user_membership_id: int | None
    tag_ids: list[int]


class Membership(TypedDict, total=False):
    """Who is in a group, and how."""

    id: Required[int]
    group_id: int | None
    user_id: int | None
    inviter_id: int | None
    volume: str | int | None
    admin: bool | None
    delegate: bool | None
    experiences: dict[str, object]
    title: str | None
    created_at: str | None
    accepted_at: str | None
    user_email: str | None


class MembershipRequest(TypedDict, total=False):
    """Who asks to be let in."""

    id: Required[int]
    group_id: int | None
    name: str | None
    email: str | None
    introduction: str | None
    responded_at: str | None
    response: str | None
    response_comment: str | None
    created_at: str | None
    updated_at: str | None
    requestor_email: str | None
    responder_id: int | None
    requestor_id: int | None


class Tag(TypedDict, total=False):
    """A tag of a group."""

    id: Required[int]
    name: str | None
    color: str | None
    taggings_count: int | None
    group_id: int | None
    priority: int | None


class MemberEmailAlias(TypedDict, total=False):
    """Another address of a member."""

    id: Required[int]
    email: str | None
    group_id: int | None
    user_id: int | None
    author_id: int | None
    created_at: str | None
