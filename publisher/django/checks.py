"""What ``manage.py check`` says, and each command before it begins."""

from __future__ import annotations

from django.core import checks

from publisher.django.shared import publisher
from publisher.errors import ConfigError, PublishError


def check_publisher(**_: object) -> list[checks.CheckMessage]:
    """An error for wrong settings; a warning if Redis does not answer now."""
    try:
        publisher.ping()
    except ConfigError as error:
        return [checks.Error(problem, id="channel_server.E001") for problem in error.problems]
    except PublishError as error:
        return [checks.Warning(f"publisher: {error}", id="channel_server.W001")]
    return []
