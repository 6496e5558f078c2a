"""Declare what of a model is published, and which records come along.

::

    from publisher.serializers import Attributes, HasOne, Serializer

    class AuthorSerializer(Serializer[User], model=User):
        attributes = Attributes("id", "name")

    class CommentSerializer(Serializer[Comment], model=Comment):
        attributes = Attributes("id", "body", "created_at")
        author = HasOne(serializer=AuthorSerializer, root="users")

``publisher.publish_models([comment], group_id=7)`` then announces
``{"users": [...], "comments": [...]}``.
"""

from publisher.serializers.cache import RecordCache
from publisher.serializers.fields import Attribute, Attributes, HasMany, HasOne, Hidden
from publisher.serializers.loaders import Loaders, default_loaders
from publisher.serializers.scope import Scope
from publisher.serializers.serializer import Serializer
from publisher.serializers.walk import serialize_models

__all__ = [
    "Attribute",
    "Attributes",
    "HasMany",
    "HasOne",
    "Hidden",
    "Loaders",
    "RecordCache",
    "Scope",
    "Serializer",
    "default_loaders",
    "serialize_models",
]
