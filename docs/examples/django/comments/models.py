"""People and what they say. A group is one of Django's own."""

import secrets

from django.contrib.auth.models import AbstractUser, Group
from django.db import models


def new_secret() -> str:
    """What somebody shows to the collaboration server."""
    return secrets.token_urlsafe()


class User(AbstractUser):
    """Somebody."""

    secret_token = models.CharField(max_length=64, default=new_secret)


class Comment(models.Model):
    """Something that was said in a group."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE)
    author = models.ForeignKey(User, on_delete=models.CASCADE)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.author}: {self.body[:50]}"
