"""Try it: a server, a Redis of its own, and a page that shows the two at work."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.markup import escape

from channel_server.adapters.embedded import embedded_redis
from channel_server.app import ChannelServer
from channel_server.engine.places import UNIX
from channel_server.stop import Stop
from channel_server.web.demo import Demo, DemoUser
from publisher import AsyncPublisher

if TYPE_CHECKING:
    from channel_server.admin_config import AdminSettings
    from channel_server.config import Settings

_SAMPLE_USERS: Final = (
    (1, "Ann", (1, 2)),
    (2, "Ben", (2, 3)),
)

_EVERYWHERE: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what HOST may say

_TOKEN_TTL_S: Final = 24 * 60 * 60
"""The Redis may be the operator's own: nothing stays in it."""


async def run_demo(settings: Settings, admin: AdminSettings, *, has_redis: bool) -> None:
    """Run until SIGTERM or Ctrl-C.

    Args:
        settings: Of the server.
        admin: About watching it.
        has_redis: The operator has named a Redis; else one is started.

    Raises:
        MissingPart: If there is no redis-server to start.
        CannotListen: If the port is taken.
    """
    stop = Stop()
    stop.on_signals()
    async with contextlib.AsyncExitStack() as stack:
        if not has_redis:
            url = await stack.enter_async_context(embedded_redis())
            # Whoever has started it here wants it to end when told.
            settings = dataclasses.replace(settings, redis_url=url, drain_delay_s=0, drain_s=0)
        publisher = await stack.enter_async_context(AsyncPublisher.from_url(settings.redis_url))
        users = tuple([await _sample_user(publisher, *user) for user in _SAMPLE_USERS])
        server = ChannelServer(settings, admin)
        Demo(publisher, users=users).add_routes(server.web_app)
        await server.run(stop, on_listening=lambda port: _greet(settings, port))


async def _sample_user(
    publisher: AsyncPublisher, user_id: int, name: str, group_ids: tuple[int, ...]
) -> DemoUser:
    token = await publisher.tokens.issue(
        {"id": user_id, "name": name}, group_ids=group_ids, ttl=_TOKEN_TTL_S
    )
    return DemoUser(id=user_id, name=name, group_ids=group_ids, token=token)


def _greet(settings: Settings, port: int) -> None:
    console = Console()
    console.print(f"\n  Open [bold]{escape(_page(settings.host, port))}[/bold] in two tabs.")
    console.print(
        f"  From another terminal: REDIS_URL={settings.redis_url} {sys.argv[0]} "
        'publish --group 2 \'{"comments":[{"id":1,"body":"hi"}]}\'',
        soft_wrap=True,
    )
    console.print("  Ctrl-C stops it.\n")


def _page(host: str, port: int) -> str:
    if host.startswith(UNIX):
        return f"what a proxy in front of {host} serves"
    if host in _EVERYWHERE:
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
