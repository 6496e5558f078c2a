"""What of a model is published, and which records come along."""

from comments.models import Comment, User
from publisher.serializers import Attribute, Attributes, HasOne, Serializer


class AuthorSerializer(Serializer[User], model=User):
    """Of a user, only what everybody may see: no address, no secret."""

    attributes = Attributes("id", "name")
    name = Attribute(source="username")


class CommentSerializer(Serializer[Comment], model=Comment):
    """A comment, and its author beside it."""

    attributes = Attributes("id", "group_id", "body", "created_at")
    author = HasOne(serializer=AuthorSerializer, root="users")
