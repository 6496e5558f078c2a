"""The server for collaborative documents as a process of its own, without live updates."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final

from aiohttp import web
from yarl import URL

from channel_server.adapters.sqlite_documents import SqliteDocuments
from channel_server.collab.access import Access
from channel_server.collab.options import Options
from channel_server.collab.server import House, add_welcome
from channel_server.config import masked
from channel_server.descriptors import MAX_DESCRIPTORS, most_connections
from channel_server.engine.listener import listening
from channel_server.engine.options import Cors
from channel_server.engine.options import Options as EngineOptions
from channel_server.engine.places import shown_place
from channel_server.errors import CannotOpenStore, NotStored, StoreFailed
from channel_server.metrics import Metrics
from channel_server.node import new_node_name
from channel_server.operating import families
from channel_server.operating.watch import Watch
from channel_server.web.health import Health, add_health

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from channel_server.admin_config import AdminSettings
    from channel_server.collab.shared import Shared
    from channel_server.collab_config import CollabSettings
    from channel_server.config import Settings
    from channel_server.core.documents import Store
    from channel_server.metrics import Family
    from channel_server.stop import Stop

log = logging.getLogger(__name__)

_PING_S: Final = 30.0
_PONG_S: Final = 15.0
_WRITE_S: Final = 30.0
"""A client on a slow line needs its time for a long document."""
_HEAD_BYTES: Final = 64 * 1024
"""Of a message, beyond the update that it carries."""
_FLUSH_S: Final = 2.0
_LAST_FLUSH_S: Final = 20.0


async def edit(
    settings: Settings,
    collab: CollabSettings,
    admin: AdminSettings,
    app_url: str,
    stop: Stop,
) -> None:
    """Serve documents until somebody asks to stop.

    Args:
        settings: What all servers share.
        collab: What is about documents.
        admin: What is about watching it.
        app_url: Where the application is.
        stop: Ask it to end; ask again to end at once.

    Raises:
        CannotListen: If the port is taken.
        CannotOpenStore: If the store cannot be opened.
        NotStored: If documents could not be stored before the end.
    """
    shared = _shared(settings) if collab.has_control else None
    async with (
        _store(collab, shared) as store,
        Access(URL(app_url) / "api/hocuspocus") as access,
    ):
        house = House(
            _engine_options(settings, collab),
            _options(collab),
            access=access,
            store=store,
            metrics=Metrics(),
        )
        await _Editing(house, settings, collab, shared, stop).run(admin)


def _shared(settings: Settings) -> Shared:
    from channel_server.collab.shared import Shared  # noqa: PLC0415 - 8 MB that not all need

    return Shared(settings, node=new_node_name())


class _Editing:
    """One run of the server, from the first connection to the last document stored."""

    def __init__(
        self,
        house: House,
        settings: Settings,
        collab: CollabSettings,
        shared: Shared | None,
        stop: Stop,
    ) -> None:
        self._house = house
        self._settings = settings
        self._collab = collab
        self._shared = shared
        self._stop = stop
        self._is_stopping = False

    def _health(self) -> Health:
        is_alone = self._shared is not None and not self._shared.is_up
        has_to_wait = is_alone and self._collab.has_redis
        documents, access = self._house.documents, self._house.access
        wrong = (
            self._shared.complaint if self._shared is not None and is_alone else "",
            f"documents: {documents.trouble}" if documents.trouble else "",
            f"application: {access.trouble}" if access.trouble else "",
        )
        return Health(
            tuple(filter(None, wrong)),
            is_ready=not (has_to_wait or self._is_stopping),
            has_started=self._house.is_ready or self._is_stopping,
            is_draining=self._is_stopping,
        )

    async def run(self, admin: AdminSettings) -> None:
        house, stop = self._house, self._stop
        app = web.Application()
        add_health(app, self._health)
        add_welcome(app)
        watch = Watch(admin, self._health, house.metrics)
        async with asyncio.TaskGroup() as group, watch.open(_families(house)) as watched:
            parts = [group.create_task(house.run(), name="documents")]
            if self._shared is not None:
                hearing = self._shared.run(house, has_peers=self._collab.has_redis)
                parts.append(group.create_task(hearing, name="shared"))
            async with listening(
                house,
                app,
                self._collab.port,
                address=self._collab.host,
                hurried=stop.hurried,
                prefix="COLLAB_",
            ) as port:
                # With other nodes, when what they say can be heard.
                house.is_ready = house.is_ready or not self._collab.has_redis
                shown = _shown(self._settings, self._collab)
                place = shown_place(self._collab.host, port)
                log.info("listening", extra={**place, **shown, **watched})
                await stop.asked.wait()
                self._is_stopping, house.is_ready = True, False
                log.info("stopping", extra={"documents": len(house.documents)})
                # So that who goes to another node finds there what was written here.
                await stop.unless_hurried(_within(_FLUSH_S, house))
            await stop.unless_hurried(_within(_LAST_FLUSH_S, house))
            await house.close()
            unstored = house.documents.unstored
            for part in parts:
                part.cancel()
        if unstored:
            raise NotStored(unstored)
        log.info("stopped")


def _families(house: House) -> list[Family]:
    return [
        *families.of_connections(house.doors, house.slow, house.heartbeat, house.hang_ups),
        *families.of_documents(house.metrics),
    ]


async def _within(seconds: float, house: House) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await house.documents.flush()


@contextlib.asynccontextmanager
async def _store(collab: CollabSettings, shared: Shared | None) -> AsyncIterator[Store]:
    if collab.has_redis and shared is not None:
        yield shared.store(collab.keep_s)
        return
    store = SqliteDocuments(collab.database, is_durable=collab.is_durable)
    try:
        await store.open()
    except StoreFailed as error:
        await store.close()
        raise CannotOpenStore(collab.database, error.reason) from None
    try:
        yield store
    finally:
        await store.close()


def _options(collab: CollabSettings) -> Options:
    return Options(
        debounce_s=collab.debounce_s,
        max_debounce_s=collab.max_debounce_s,
        is_durable=collab.is_durable,
        max_documents=collab.max_documents,
        max_document_bytes=collab.max_document_bytes,
        max_bytes=collab.max_bytes,
        keep_s=collab.keep_s if collab.database else 0,
        reauth_s=collab.reauth_s,
    )


def _engine_options(settings: Settings, collab: CollabSettings) -> EngineOptions:
    """A whole document, which a client gets in one message, does not make it slow."""
    return EngineOptions(
        ping_interval_s=_PING_S,
        ping_timeout_s=_PONG_S,
        max_payload=collab.max_document_bytes + _HEAD_BYTES,
        max_packets_per_s=settings.packets_per_s,
        write_limit=max(settings.write_limit, collab.max_document_bytes // 4),
        write_timeout_s=max(settings.write_timeout_s, _WRITE_S),
        cors=Cors(origin=settings.cors_origin, strict=settings.is_origin_checked),
        max_connections=min(settings.max_connections or MAX_DESCRIPTORS, most_connections()),
    )


def _shown(settings: Settings, collab: CollabSettings) -> dict[str, str]:
    where = "sqlite" if collab.database else "temporary"
    return {
        "documents": "redis" if collab.has_redis else where,
        "application": str(URL(collab.app_url or "").origin()),
        "redis": masked(settings.redis_url) if collab.has_control else "none",
    }
