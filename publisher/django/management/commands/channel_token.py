"""``manage.py channel_token``: a token for a user, to try a client with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from publisher.django.shared import publisher
from publisher.errors import PublishError

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):  # type: ignore[misc]  # Django has no types
    """Prints the token."""

    help = "Issue a channel token to a user: who connects with it is that user."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A user, and where they are let in."""
        parser.add_argument("user", help="name with which the user signs in, or id")
        parser.add_argument("--groups", nargs="*", default=[], metavar="ID", help="ids of groups")

    def handle(self, *, user: str, groups: list[str], **_: object) -> None:
        """Issue it."""
        found = _find(user)
        name = getattr(found, "get_full_name", found.get_username)() or found.get_username()
        try:
            token = publisher.tokens.issue({"id": found.pk, "name": name}, group_ids=groups)
        except PublishError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(token)


def _find(user: str) -> Any:
    """By name, else by id."""
    model = get_user_model()
    users = model._default_manager  # noqa: SLF001 - Django's name for the one to use
    found = users.filter(**{model.USERNAME_FIELD: user}).first()
    if found is None:
        try:
            found = users.filter(pk=user).first()
        except (ValueError, ValidationError):
            found = None  # no id of this model looks like that
    if found is None:
        raise CommandError(f"there is no user with the name or the id {user}")
    return found
