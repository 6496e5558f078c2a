"""From the outbox to the rooms: one node sends, each bot has a queue of its own for each room.

A queue holds ids; the messages stay in Redis until it is their turn. Who loses the lease drops its
queues, who takes it reads the outbox from the beginning. If both send a message, the homeserver
knows it by its transaction id, which is the id of the entry.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Final, NoReturn

from channel_server.bots.messages import Bot, read
from channel_server.errors import RedisLost, RedisRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.adapters.outbox import Entry, Outbox, OutboxState
    from channel_server.bots.courier import Courier
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)

LEASE_S: Final = 3.0
_TICK_S: Final = 1.0
_PAUSE_S: Final = 0.5
_MAX_PER_QUEUE: Final = 1000
_MAX_OVER: Final = 10_000
_PAGES: Final = 20
_MS: Final = 1000
_BEGINNING: Final = "0-0"

_Way = tuple[Bot, str]
"""A bot and the room that it writes to: what keeps it from one need not keep it from another."""


class Sender:
    """Reads the outbox while the lease is ours.

    Args:
        outbox: Messages that wait.
        courier: Delivers them.
        metrics: Counts.
        clock: Monotonic seconds.
    """

    def __init__(
        self, outbox: Outbox, courier: Courier, *, metrics: Metrics, clock: Callable[[], float]
    ) -> None:
        self._outbox = outbox
        self._courier = courier
        self._metrics = metrics
        self._clock = clock
        self._wake = asyncio.Event()
        self._is_sending = False
        self._released = asyncio.Event()
        self._renewed_at_s = float("-inf")
        self._redis_ahead_ms = 0
        self._last_id = _BEGINNING
        self._queues: dict[_Way, deque[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._queued: set[str] = set()
        self._deleted = 0
        self._over: dict[str, None] = {}

    def wake(self) -> None:
        """The outbox may hold something new."""
        self._wake.set()

    async def run(self) -> NoReturn:
        """Send until cancelled."""
        self._stop()
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                try:
                    await self._look(group)
                except (RedisLost, RedisRefused):
                    if self._clock() - self._renewed_at_s > LEASE_S:
                        self._stop()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_TICK_S):
                        await self._wake.wait()

    async def _look(self, group: asyncio.TaskGroup) -> None:
        if self._released.is_set():
            return
        deleted = self._deleted
        state = await self._outbox.tick()
        if self._released.is_set():
            return
        self._metrics.bots_waiting = state.waiting
        if not state.is_ours:
            self._stop()
            return
        self._renewed(state)
        for entry_id in list(self._over):
            if not await self._delete(entry_id):
                break
        if state.waiting:
            await self._read(group)
        known = len(self._queued) + len(self._over) + self._deleted - deleted
        if state.waiting > known and not self._wake.is_set():
            # Redis has forgotten its past, or its clock has gone back: entries came before the last.
            self._last_id = _BEGINNING

    def _renewed(self, state: OutboxState) -> None:
        """The lease is ours."""
        self._renewed_at_s = self._clock()
        self._redis_ahead_ms = state.now_ms - round(self._clock() * _MS)
        if not self._is_sending:
            self._is_sending = True
            log.info("sending for bots", extra={"waiting": state.waiting})

    async def _read(self, group: asyncio.TaskGroup) -> None:
        for _ in range(_PAGES):
            found = await self._outbox.after(self._last_id)
            for entry in found:
                self._last_id = entry.id
                await self._add(group, entry)
            if not found:
                return
        self._wake.set()  # there is more, after the lease has been renewed

    def _stop(self) -> None:
        """Somebody else sends, or may do so by now."""
        self._is_sending = False
        self._last_id = _BEGINNING
        self._queues.clear()
        self._queued.clear()
        for task in self._tasks:
            task.cancel()

    async def release(self) -> None:
        """Send nothing more, and let another node do so at once."""
        self._released.set()
        self._stop()
        with contextlib.suppress(RedisLost, RedisRefused):
            await self._outbox.release()

    # ── one queue ─────────────────────────────────────────────────────────────────────────

    async def _add(self, group: asyncio.TaskGroup, entry: Entry) -> None:
        if entry.id in self._over or entry.id in self._queued:
            return
        try:
            message = read(entry.channel, entry.payload)
        except Exception:  # noqa: BLE001 - one that nobody can read must not stop the others
            self._courier.unreadable()
            await self._delete(entry.id)
            return
        way = (message.bot, message.room)
        queue = self._queues.get(way)
        if queue is None:
            queue = self._queues[way] = deque()
            task = group.create_task(self._work(way, queue), name="bot")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if len(queue) >= _MAX_PER_QUEUE:
            self._courier.overflowed(message)
            await self._delete(entry.id)
            return
        queue.append(entry.id)
        self._queued.add(entry.id)

    async def _work(self, way: _Way, queue: deque[str]) -> None:
        """Deliver what is in a queue, one after the other, until it is empty."""
        while queue:
            await self._deliver(queue[0])
            await self._delete(queue[0])
            self._queued.discard(queue.popleft())
        if self._queues.get(way) is queue:
            del self._queues[way]

    async def _deliver(self, entry_id: str) -> None:
        """Try until the message is sent, or never will be."""
        number = 0
        while True:
            try:
                entry = await self._outbox.read(entry_id)
            except (RedisLost, RedisRefused):
                await asyncio.sleep(_PAUSE_S)
                continue
            if entry is None:
                return
            number += 1
            wait_s = await self._courier.attempt(entry, self._now_ms, number)
            if wait_s is None:
                return
            del entry  # a thousand bots may wait
            await asyncio.sleep(wait_s)

    async def _delete(self, entry_id: str) -> bool:
        """Forget a message; if Redis cannot now (then return False), later."""
        self._over[entry_id] = None
        if len(self._over) > _MAX_OVER:
            del self._over[next(iter(self._over))]
        with contextlib.suppress(RedisLost, RedisRefused):
            await self._outbox.delete(entry_id)
            self._over.pop(entry_id, None)
            self._deleted += 1
            return True
        return False

    def _now_ms(self) -> int:
        """The clock of Redis, in milliseconds since 1970."""
        return round(self._clock() * _MS) + self._redis_ahead_ms
