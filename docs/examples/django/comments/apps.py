"""The application, which declares its serializers when it starts."""

from importlib import import_module

from django.apps import AppConfig


class CommentsConfig(AppConfig):
    """Comments, live."""

    name = "comments"

    def ready(self) -> None:
        """Models are there now."""
        import_module("comments.serializers")
