"""The doctor's round: all that is to be looked at, one after the other."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, NamedTuple

from channel_server.doctor.finding import Finding, ill, unasked
from channel_server.doctor.machine import examine_descriptors, examine_port
from channel_server.doctor.others import examine_application, examine_homeserver
from channel_server.doctor.public import examine_public
from channel_server.doctor.redis import examine_redis
from channel_server.doctor.running import examine_running
from channel_server.spelling import near_misses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from channel_server.admin_config import AdminSettings
    from channel_server.collab_config import CollabSettings
    from channel_server.config import Settings


class Questions(NamedTuple):
    """What the operator wants to know beside what the settings say.

    Attributes:
        url: Where browsers find the server; None if it is not to be looked at.
        token: A channel token; None for none.
        homeserver: Of a bot; None for none.
    """

    url: str | None = None
    token: str | None = None
    homeserver: str | None = None


async def examine(
    env: Mapping[str, str],
    settings: Settings,
    admin: AdminSettings,
    collab: CollabSettings,
    questions: Questions,
) -> AsyncIterator[Finding]:
    """Look at everything that can be wrong with a site.

    Args:
        env: The environment, for names that were misspelt.
        settings: Of the server.
        admin: Of its internal port.
        collab: Of the server for documents.
        questions: What else is asked.
    """
    for name, meant in near_misses(env).items():
        yield ill("Variables", f"{name} has no effect", f"is {meant} meant?")
    if admin.sentry_dsn and importlib.util.find_spec("sentry_sdk") is None:
        yield ill(
            "Sentry", "no errors are reported", "pip install 'channel-server[server,sentry]'"
        )
    yield examine_descriptors()
    yield await examine_port("PORT", settings.host, settings.port)
    yield await examine_port("ADMIN_PORT", admin.host, admin.port)
    yield await examine_running(settings, admin)
    async for finding in examine_redis(
        settings.redis_url,
        variable="REDIS_CACHE_URL" if env.get("REDIS_CACHE_URL") else "REDIS_URL",
        journal=settings.journal,
        has_documents=collab.has_redis,
        token=questions.token,
    ):
        yield finding
    if questions.url is None:
        remedy = "--url https://channels.example.org looks through name, TLS and proxy"
        yield unasked("Public address", "not looked at", remedy)
    else:
        async for finding in examine_public(questions.url, settings.cors_origin):
            yield finding
    yield await _application(env, collab)
    if questions.homeserver is not None:
        yield await examine_homeserver(questions.homeserver, settings.matrix_allowed_hosts)


async def _application(env: Mapping[str, str], collab: CollabSettings) -> Finding:
    what = "Application"
    if collab.app_url is None:
        return unasked(what, "not looked at: no PRIVATE_APP_URL", "`collab` needs one")
    if env.get("PRIVATE_APP_URL") or env.get("APP_URL"):
        return await examine_application(collab.app_url)
    said = f"not looked at: `collab` would ask {collab.app_url}"
    return unasked(what, said, "set PRIVATE_APP_URL to look at it")
