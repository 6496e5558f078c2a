"""The live server as its operator sees it, over all of its parts."""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channel_server import __version__
from channel_server.adapters.nodes import living_nodes
from channel_server.config import masked
from channel_server.core.names import Room as RoomName
from channel_server.core.names import UserId
from channel_server.errors import RedisLost, RedisRefused
from channel_server.live.census import Census
from channel_server.operating import families
from channel_server.operating.watch import Watch
from channel_server.web import operator as shapes
from publisher import AsyncPublisher
from publisher.errors import InvalidMessage, PublishError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from channel_server.adapters.commands import Commands
    from channel_server.adapters.feed import Feed
    from channel_server.admin_config import AdminSettings
    from channel_server.config import Settings
    from channel_server.core.journal import Tail
    from channel_server.core.rooms import Rooms
    from channel_server.engine.server import Engine
    from channel_server.journaling import Journaling
    from channel_server.metrics import Family, Metrics
    from channel_server.operating.pulse import Sample
    from channel_server.web.health import Health
    from publisher.contract.ids import Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What there is to be looked at.

    Attributes:
        settings: What the operator chose.
        node: Name of this node.
        engine: Sessions.
        rooms: Who is in which.
        tail: What is remembered.
        feed: The subscription.
        commands: To Redis.
        journaling: What becomes of what is heard.
        metrics: Counts.
    """

    settings: Settings
    node: str
    engine: Engine
    rooms: Rooms[Any]
    tail: Tail
    feed: Feed
    commands: Commands
    journaling: Journaling
    metrics: Metrics


class LiveOperator:
    """Sees and does what ``web.operator.Operator`` says.

    Args:
        parts: Of the server.
        admin: Where, and who may.
        health: How the server is now.
        leave: Makes the server go away; to call it again changes nothing.
    """

    def __init__(
        self,
        parts: Parts,
        admin: AdminSettings,
        *,
        health: Callable[[], Health],
        leave: Callable[[], None],
    ) -> None:
        self._parts = parts
        self._leave = leave
        self._began_s = time.monotonic()
        self._census = Census(parts.engine.sessions.values, parts.rooms)
        self._publisher: AsyncPublisher | None = None
        self._watch = Watch(admin, health, parts.metrics, self._sample)

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[dict[str, str]]:
        """Serve the internal port for as long as the context lasts; yields as ``Watch.open``."""
        try:
            async with self._watch.open(self._families(), self) as shown:
                yield shown
        finally:
            if self._publisher is not None:
                await self._publisher.close()

    def _families(self) -> list[Family]:
        parts = self._parts
        engine, metrics = parts.engine, parts.metrics
        return [
            *families.of_connections(engine.doors, engine.slow, engine.heartbeat, engine.hang_ups),
            *families.of_clients(metrics, self._census, lambda: len(parts.rooms)),
            *families.of_messages(metrics),
            *families.of_redis(parts.feed, lambda: parts.commands.is_up),
            *families.of_journal(metrics, parts.tail, lambda: parts.journaling.trouble),
            *(families.of_bots(metrics) if parts.settings.has_bots else ()),
        ]

    def _sample(self) -> Sample:
        metrics = self._parts.metrics
        return {
            "clients": len(self._parts.engine.sessions),
            "messages": metrics.messages.total(),
            "deliveries": metrics.deliveries,
            "connects": metrics.connects,
            "recovered": metrics.recovered,
            "fanout_s": metrics.fanout.total_s,
            "fanout_count": metrics.fanout.count,
            "lag_s": metrics.intake_lag.total_s,
            "lag_count": metrics.intake_lag.count,
        }

    # ── what there is to see ────────────────────────────────────────────────────────────────

    async def info(self) -> shapes.Info:
        """How it is, and who is here."""
        parts = self._parts
        health, silent_s = self._watch.health(), parts.feed.silent_s
        return shapes.Info(
            node=parts.node,
            version=__version__,
            uptime_s=time.monotonic() - self._began_s,
            status=health.status,
            reasons=list(health.reasons),
            connections=[
                shapes.Connections(transport, kind, clients)
                for (transport, kind), clients in self._census.connections().items()
            ],
            users=self._census.users(),
            rooms=len(parts.rooms),
            slow_clients=len(parts.engine.slow),
            probe_age_s=silent_s if math.isfinite(silent_s) else None,
            redis=masked(parts.settings.redis_url),
            journal=parts.settings.journal,
            nodes=await self._nodes(),
            totals=self._totals(),
            warnings=[shapes.Logged(*line) for line in self._watch.warnings.lines],
        )

    def _totals(self) -> shapes.Totals:
        metrics = self._parts.metrics
        return shapes.Totals(
            messages=metrics.messages.total(),
            deliveries=metrics.deliveries,
            delivered_bytes=metrics.delivered_bytes,
            recovered=metrics.recovered,
            not_recovered=metrics.not_recovered.total(),
            malformed=metrics.malformed,
            refused=self._parts.engine.doors.refused.total(),
        )

    async def _nodes(self) -> list[str]:
        """Those that share the journal; this one alone if there is none, or Redis is away."""
        parts = self._parts
        if parts.settings.journal != "redis":
            return [parts.node]
        try:
            return await living_nodes(parts.commands) or [parts.node]
        except (RedisLost, RedisRefused):
            return [parts.node]

    def history(self) -> shapes.History:
        """The last five minutes."""
        return shapes.History(list(self._watch.pulse.history))

    def rooms(self, part_of_name: str, limit: int) -> shapes.Rooms:
        """The largest rooms whose names contain a text."""
        found = self._census.rooms(part_of_name, limit)
        return shapes.Rooms([shapes.Room(*room) for room in found.rooms], found.total)

    def room(self, name: str) -> shapes.Room:
        """One room, if only with nobody in it."""
        return shapes.Room(name, self._census.members(RoomName(name)))

    def user(self, user_id: Id) -> shapes.User:
        """Whether a user is online."""
        clients = self._census.clients_of(UserId(str(user_id)))
        return shapes.User(user_id, clients > 0, clients)

    def journal(self) -> shapes.Journal:
        """How the journal is."""
        parts = self._parts
        return shapes.Journal(
            mode=parts.settings.journal,
            trouble=parts.journaling.trouble,
            epoch=parts.tail.epoch,
            offset=parts.tail.offset_text,
            entries=len(parts.tail),
            kept_bytes=parts.tail.kept_bytes,
            is_complete=parts.settings.journal != "off" and parts.journaling.whole.is_set(),
        )

    # ── what there is to do ─────────────────────────────────────────────────────────────────

    async def publish_to_group(self, group_id: Id, message: shapes.Publish) -> shapes.Sent:
        """Publish records to the members of a group."""
        publisher = self._to_redis()
        return shapes.Sent(
            await _told(publisher.publish_records(message.records, group_id=group_id))
        )

    async def publish_to_user(self, user_id: Id, message: shapes.Publish) -> shapes.Sent:
        """Publish records to one user."""
        publisher = self._to_redis()
        return shapes.Sent(
            await _told(publisher.publish_records(message.records, user_id=user_id))
        )

    async def notice(self, message: shapes.Notice) -> shapes.Sent:
        """Publish a notice."""
        noticing = self._to_redis().publish_system_notice(
            message.text, version=message.version, reload=message.reload
        )
        return shapes.Sent(await _told(noticing))

    async def disconnect(self, user_id: Id) -> shapes.Sent:
        """Hang up a user, on all nodes."""
        return shapes.Sent(await _told(self._to_redis().disconnect_user(user_id)))

    async def replace_groups(self, user_id: Id, groups: shapes.Groups) -> shapes.Moved:
        """Move a user's clients, on all nodes."""
        moving = self._to_redis().replace_groups(user_id, groups.group_ids)
        return shapes.Moved(await _told(moving))

    def drain(self) -> shapes.Draining:
        """Begin to go away, as at SIGTERM; to ask again hurries nothing."""
        self._leave()
        return shapes.Draining(len(self._parts.engine.sessions))

    def _to_redis(self) -> AsyncPublisher:
        """Made when it is needed: most servers are never asked to publish."""
        if self._publisher is None:
            settings = self._parts.settings
            self._publisher = AsyncPublisher.from_url(
                settings.redis_url, pool_size=2, journal=settings.journal == "redis"
            )
        return self._publisher


async def _told(telling: Awaitable[int]) -> int:
    """Wait until Redis has it.

    Raises:
        CannotDo: If it has not.
    """
    try:
        return await telling
    except InvalidMessage as error:
        raise shapes.CannotDo(400, str(error)) from error
    except PublishError as error:
        raise shapes.CannotDo(503, str(error)) from error
