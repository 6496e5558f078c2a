"""The app, as Django finds it."""

from django.apps import AppConfig
from django.core.checks import register

from publisher.django.checks import check_publisher


class ChannelServerConfig(AppConfig):  # type: ignore[misc]  # Django has no types
    """``"publisher.django"`` in ``INSTALLED_APPS``."""

    name = "publisher.django"
    label = "channel_server"
    verbose_name = "Channel server"

    def ready(self) -> None:
        """Have the settings checked whenever a command of ``manage.py`` runs."""
        register(check_publisher, "channel_server")
