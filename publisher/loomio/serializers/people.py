"""People, groups, and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from publisher.loomio.serializers.facts import associated, has, inside, own
from publisher.serializers.fields import Attribute, Attributes, HasMany, HasOne
from publisher.serializers.read import read
from publisher.serializers.serializer import Serializer

if TYPE_CHECKING:
    from publisher.serializers.fields import Getter
    from publisher.serializers.scope import Scope


def _shows_email(user: Any, scope: Scope) -> bool:
    is_shown = scope.get("include_email") or scope.get("current_user_is_admin")
    return bool(is_shown) or scope.is_current_user(read(user, "id"))


def _avatar_kind(user: Any, scope: Scope) -> object:
    del scope
    is_unknown = not read(user, "email_verified", True) and not read(user, "name", None)
    return "mdi-email-outline" if is_unknown else read(user, "avatar_kind")


class AuthorSerializer(Serializer[Any], is_ready_made=True, model="User"):
    """A user as others see it."""

    attributes = Attributes(
        *("id", "name", "email", "username", "avatar_initials", "avatar_kind", "thumb_url"),
        *("time_zone", "locale", "created_at", "titles", "delegates", "placeholder_name"),
        *("email_verified", "bot"),
    )
    email = Attribute(when=_shows_email)
    avatar_kind = Attribute(get=_avatar_kind)
    titles = Attribute(get=inside("experiences", "titles", dict))
    delegates = Attribute(get=inside("experiences", "delegates", dict))
    placeholder_name = Attribute(when=lambda user, _: read(user, "name", None) is None)


class UserSerializer(AuthorSerializer, is_ready_made=True):
    """A user as a member of a group."""

    attributes = Attributes(
        *AuthorSerializer.attributes,
        *("short_bio", "short_bio_format", "content_locale", "location", "has_password"),
        *("autodetect_time_zone", "avatar_url", "attachments", "date_time_pref"),
    )
    has_password = Attribute(when=lambda _, scope: bool(scope.get("include_password_status")))


def _subscription(group: Any, scope: Scope) -> object:
    subscription = read(group, "subscription", None)
    if subscription is None:
        return None
    names = ["max_members", "max_threads", "active", "members_count"]
    if _membership(group, scope) is not None:
        names += ["plan", "renews_at", "expires_at", "management_link", "referral_code"]
    return {name: read(subscription, name, None) for name in names}


def _membership(group: Any, scope: Scope) -> Any:
    return own(group, scope, "current_user_membership", "user_id")


def _picture(name: str) -> Getter:
    """A group's own picture, else its parent's."""

    def find(group: Any, scope: Scope) -> object:
        own = read(group, name, None)
        parent = None if own is not None else associated(group, scope, "parent")
        return own if parent is None else read(parent, name, None)

    return find


def _has_discussions(group: Any, scope: Scope) -> bool:
    del scope
    said = read(group, "has_discussions", None)
    return bool(read(group, "discussions_count") > 0 if said is None else said)


class GroupSerializer(Serializer[Any], is_ready_made=True, model="Group"):
    """A group."""

    attributes = Attributes(
        *("id", "key", "handle", "name", "full_name", "description", "description_format"),
        *("logo_url", "created_at", "creator_id", "members_can_add_members"),
        *("members_can_add_guests", "members_can_announce", "members_can_create_subgroups"),
        *("members_can_start_discussions", "members_can_edit_discussions"),
        *("members_can_edit_comments", "members_can_delete_comments", "members_can_raise_motions"),
        *("admins_can_edit_user_content", "token", "polls_count", "closed_polls_count"),
        *("discussions_count", "public_discussions_count", "group_privacy", "memberships_count"),
        *("pending_memberships_count", "membership_granted_upon", "discussion_privacy_options"),
        *("has_discussions", "admin_memberships_count", "archived_at", "attachments"),
        *("new_threads_max_depth", "new_threads_newest_first", "cover_url", "has_custom_cover"),
        *("experiences", "features", "open_discussions_count", "closed_discussions_count"),
        *("recent_activity_count", "is_visible_to_public", "is_subgroup_of_hidden_parent"),
        *("is_visible_to_parent_members", "parent_members_can_see_discussions"),
        *("org_memberships_count", "org_discussions_count", "org_members_count", "subscription"),
        *("subgroups_count", "complete"),
    )
    logo_url = Attribute(get=_picture("logo_url"))
    cover_url = Attribute(get=_picture("cover_url"))
    token = Attribute(when=lambda _, scope: bool(scope.get("include_token")))
    has_discussions = Attribute(get=_has_discussions)
    org_memberships_count = Attribute(when=lambda group, _: read(group, "parent_id", None) is None)
    subscription = Attribute(get=_subscription)
    complete = Attribute(get=lambda *_: True)

    parent = HasOne(serializer="GroupSerializer", root="parent_groups", is_optional=True)
    current_user_membership = HasOne(
        serializer="MembershipSerializer", root="memberships", get=_membership
    )
    tags = HasMany(serializer="TagSerializer", is_optional=True)


def _shows_user_email(membership: Any, scope: Scope) -> bool:
    inviter_id = read(membership, "inviter_id", None)
    return scope.is_current_user(inviter_id) or bool(scope.get("current_user_is_admin"))


class MembershipSerializer(Serializer[Any], is_ready_made=True, model="Membership"):
    """Who is in a group, and how."""

    attributes = Attributes(
        *("id", "group_id", "user_id", "inviter_id", "volume", "admin", "delegate", "experiences"),
        *("title", "created_at", "accepted_at", "user_email"),
    )
    user_email = Attribute(when=_shows_user_email)

    group = HasOne(serializer="GroupSerializer", when=has("group_id"))
    user = HasOne(serializer=UserSerializer, root="users")
    inviter = HasOne(serializer=AuthorSerializer, root="users", is_optional=True)


class MembershipRequestSerializer(Serializer[Any], is_ready_made=True, model="MembershipRequest"):
    """Who asks to be let in."""

    attributes = Attributes(
        *("id", "group_id", "name", "email", "introduction", "responded_at", "response"),
        *("response_comment", "created_at", "updated_at", "requestor_email"),
    )

    responder = HasOne(serializer=AuthorSerializer, root="users", is_optional=True)
    requestor = HasOne(serializer=AuthorSerializer, root="users", is_optional=True)


class TagSerializer(Serializer[Any], is_ready_made=True, model="Tag"):
    """A tag of a group."""

    attributes = Attributes("id", "name", "color", "taggings_count", "group_id", "priority")
