"""Serializers for Loomio's own records, as Rails had them when they went through Redis.

Models may be objects of any library, or mappings, with the attribute names of Loomio's tables and
models. What only the cache of Rails knew (an event's parent, a poll's current outcome, …) is taken
from the cache, else from the model, and is null where neither has it.

Source: the serializers of loomio/loomio, 2024-07 to 2026-01.
"""

from publisher.loomio.serializers.decisions import (
    OutcomeSerializer,
    PollOptionSerializer,
    PollSerializer,
    StanceSerializer,
)
from publisher.loomio.serializers.notices import NotificationSerializer
from publisher.loomio.serializers.people import (
    AuthorSerializer,
    GroupSerializer,
    MembershipRequestSerializer,
    MembershipSerializer,
    TagSerializer,
    UserSerializer,
)
from publisher.loomio.serializers.settings import (
    ChatbotSerializer,
    DiscussionReaderSerializer,
    DiscussionTemplateSerializer,
    DocumentSerializer,
    MemberEmailAliasSerializer,
    PollTemplateSerializer,
    TaskSerializer,
)
from publisher.loomio.serializers.threads import (
    CommentSerializer,
    DiscussionSerializer,
    EventSerializer,
    NotifiedEventSerializer,
    ReactionSerializer,
    TranslationSerializer,
)

__all__ = [
    "AuthorSerializer",
    "ChatbotSerializer",
    "CommentSerializer",
    "DiscussionReaderSerializer",
    "DiscussionSerializer",
    "DiscussionTemplateSerializer",
    "DocumentSerializer",
    "EventSerializer",
    "GroupSerializer",
    "MemberEmailAliasSerializer",
    "MembershipRequestSerializer",
    "MembershipSerializer",
    "NotificationSerializer",
    "NotifiedEventSerializer",
    "OutcomeSerializer",
    "PollOptionSerializer",
    "PollSerializer",
    "PollTemplateSerializer",
    "ReactionSerializer",
    "StanceSerializer",
    "TagSerializer",
    "TaskSerializer",
    "TranslationSerializer",
    "UserSerializer",
]
