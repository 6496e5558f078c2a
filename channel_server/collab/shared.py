"""What documents need Redis for: the orders of the application, and other nodes."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from channel_server.adapters.commands import Commands
from channel_server.adapters.feed import Feed
from channel_server.adapters.line import encode
from channel_server.adapters.pauses import Pauses
from channel_server.adapters.redis_documents import RedisDocuments
from channel_server.collab.orders import obey
from channel_server.collab.peers import CHANNEL, Peers
from publisher.contract import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.collab.server import House
    from channel_server.config import Settings

_PUBLISH: Final = b"PUBLISH"


class Shared:
    """Connections to Redis, and who uses them.

    Args:
        settings: Where Redis is.
        node: Name of this node.

    Attributes:
        is_up: Whether this node hears what is said.
    """

    def __init__(self, settings: Settings, *, node: str) -> None:
        self._settings = settings
        self._node = f"{node}-documents"
        self._pauses = Pauses(random.random)
        self._commands = Commands(
            settings.redis_url,
            probe_s=settings.probe_s,
            pauses=self._pauses,
            purpose="document commands",
        )
        self._catching_up: asyncio.Task[None] | None = None
        self._feed: Feed | None = None
        self._was_up = False
        self.is_up = False

    def store(self, keep_s: int) -> RedisDocuments:
        """Documents that are kept in Redis."""
        return RedisDocuments(self._commands, node=self._node, keep_s=keep_s)

    def publish(self, word: bytes, heard_by: Callable[[int], None]) -> bool:
        """Say something to all nodes. Return False if it, or the answers, would not be heard."""

        def answer(reply: Any) -> None:
            if isinstance(reply, int):
                heard_by(reply)

        return self.is_up and self._commands.send(encode(_PUBLISH, CHANNEL.encode(), word), answer)

    @property
    def complaint(self) -> str:
        """Why nothing is heard, and what to do about it; "" while all is well."""
        return "" if self._feed is None else self._feed.complaint

    async def run(self, house: House, *, has_peers: bool) -> NoReturn:
        """Hear until cancelled; reconnects by itself.

        Args:
            house: Carries out orders.
            has_peers: Other nodes have the same documents.
        """
        peers: Peers | None = None
        if has_peers:
            peers = Peers(
                self._node,
                self,
                find=house.documents.find,
                sandbox=house.sandbox,
                spawn=house.spawn,
                complain=house.complain,
                clock=time.monotonic,
            )
            house.documents.peers = peers
            self._commands.connected.append(lambda: self._catch_up(house))

        def heard(channel: str, payload: bytes) -> int:
            if channel == CONTROL:
                obey(house, payload)
            elif peers is not None:
                peers.heard(payload)
            return 0

        feed = self._feed = Feed(
            self._settings.redis_url,
            (CONTROL, CHANNEL) if has_peers else (CONTROL,),
            heard,
            commands=self._commands,
            node=self._node,
            is_up=lambda is_up: self._subscribed(house, is_up=is_up),
            probe_s=self._settings.probe_s,
            pauses=self._pauses,
            purpose="document subscription",
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._commands.run(), name="document commands")
            group.create_task(feed.run(), name="document feed")
        raise AssertionError

    def _subscribed(self, house: House, *, is_up: bool) -> None:
        self.is_up = is_up
        if not is_up:
            return
        if self._was_up:
            house.recheck(lambda _: True)  # orders may have been missed
            self._catch_up(house)
        else:
            self._was_up = house.is_ready = True

    def _catch_up(self, house: House) -> None:
        """Something may not have been heard, here or there, and Redis may have lost documents."""
        peers, documents = house.documents.peers, house.documents.all()
        if peers is None or not documents or not self.is_up:
            return
        house.documents.look_at_all()
        if self._catching_up is not None:
            self._catching_up.cancel()  # of a connection that is gone
        self._catching_up = house.spawn(peers.catch_up_all(documents))
