"""What every server does for its operator, whatever else it does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from channel_server import __version__
from channel_server.operating import families
from channel_server.operating.internal import internal_port
from channel_server.operating.pulse import Pulse
from channel_server.operating.recent_warnings import RecentWarnings
from channel_server.origins import in_url
from channel_server.web.guard import Guard
from channel_server.web.site import internal_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from channel_server.admin_config import AdminSettings
    from channel_server.metrics import Family, Metrics
    from channel_server.operating.pulse import Sample
    from channel_server.web.health import Health
    from channel_server.web.operator import Operator


class Watch:
    """Keeps an eye on a server, and tells at the internal port what it sees.

    Args:
        settings: Where, and who may.
        health: How the server is now.
        metrics: Counts.
        sample: What the dashboard's charts are drawn from.

    Attributes:
        health: The same.
        pulse: What has been going on.
        warnings: What was logged of late.
    """

    def __init__(
        self,
        settings: AdminSettings,
        health: Callable[[], Health],
        metrics: Metrics,
        sample: Callable[[], Sample] | None = None,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self.health = health
        self.pulse = Pulse(metrics.loop_lag, sample)
        self.warnings = RecentWarnings()

    @contextlib.asynccontextmanager
    async def open(
        self, own_families: Iterable[Family], operator: Operator | None = None
    ) -> AsyncIterator[dict[str, str]]:
        """Watch for as long as the context lasts.

        Args:
            own_families: Metrics beside those that every server has.
            operator: What operators can see and do; None for no dashboard and no API.

        Yields:
            Fields for the line that says what the server serves.
        """
        settings = self._settings
        common = families.of_process(
            self._metrics, lambda: self.health().is_ready, self.warnings.counts
        )
        site = internal_site(
            self.health,
            [*common, *own_families],
            guard=Guard(
                password=settings.password,
                api_key=settings.api_key,
                is_loopback=settings.is_loopback,
                clock=time.monotonic,
            ),
            operator=operator,
            version=__version__,
        )
        with self.warnings.listening():
            async with asyncio.TaskGroup() as group, internal_port(site, settings) as port:
                pulse = group.create_task(self.pulse.run(), name="pulse")
                yield _shown(settings, port, has_operator=operator is not None)
                pulse.cancel()


def _shown(settings: AdminSettings, port: int | None, *, has_operator: bool) -> dict[str, str]:
    if port is None:
        return {"admin": "off"}
    fields = {"admin": f"{in_url(settings.host)}:{port}"}
    if has_operator:
        unprotected = "this machine" if settings.is_loopback else "off"
        by_key = "key" if settings.api_key and settings.is_loopback else unprotected
        fields["dashboard"] = "password" if settings.password else by_key
        fields["api"] = "key" if settings.api_key else "off" if settings.password else unprotected
    return fields
