"""Messages from Redis pub/sub, in the order in which Redis sent them, and proof that none is missing.

A node publishes a probe to itself and expects to hear it: what was published before it has been
heard by then. A subscription that does not answer is replaced; until the new one stands, and for
as long as the old one still has something to say, both are open.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from channel_server.adapters.handover import Handover
from channel_server.adapters.line import encode, wait
from channel_server.adapters.reconnection import stay_connected
from channel_server.adapters.refusals import ELSEWHERE, is_refusal, remedy_for
from channel_server.adapters.subscription import Subscription
from channel_server.errors import RedisLost
from publisher.contract.journal import PROBE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from channel_server.adapters.commands import Commands
    from channel_server.adapters.pauses import Pauses

_TIME: Final = encode(b"TIME")
_GRACE_S: Final = 1.0
_NONE: Final = "no subscription to Redis"
_MICROSECONDS: Final = 1_000_000


@dataclass(slots=True)
class _Probe:
    """A message from this node to itself.

    Attributes:
        sent_at_s: Monotonic seconds.
        time_us: What Redis' clock said just before it was published; 0 if that is not known.
        is_heard: It has come back.
    """

    sent_at_s: float
    time_us: int = 0
    is_heard: bool = False


class Feed:
    """Keeps a subscription up and hands every message on.

    Args:
        url: Redis.
        channels: What to subscribe to.
        deliver: Called with channel and payload; returns how many bytes it has written to
            clients. Must not raise.
        patterns: More channels, by patterns such as ``chatbot/*``.
        commands: Publishes the probes.
        node: Name of this node; its probes have a channel of their own.
        before: Awaited before each attempt to subscribe; may raise ``RedisLost``.
        is_up: Called with True when a subscription stands, with False when it is lost, and with
            both when one was replaced and messages in between may be missing.
        is_proven: Called whenever a probe was heard, with the monotonic second in which it was
            sent.
        probe_s: Within this time a deaf subscription is noticed.
        pauses: Between attempts to connect; shared by all that go to this Redis.
        purpose: For the log.
        clock: Monotonic seconds.

    Attributes:
        covered_from: Everything that was published after this was heard: microseconds since
            1970, by the clock of Redis. None while that is not known.
        covered_to: ... up to this; 0 before the first probe.
    """

    def __init__(
        self,
        url: str,
        channels: Iterable[str],
        deliver: Callable[[str, bytes], int],
        *,
        patterns: Iterable[str] = (),
        commands: Commands,
        node: str,
        before: Callable[[], Awaitable[None]] | None = None,
        is_up: Callable[[bool], None],
        is_proven: Callable[[float], None] = lambda _: None,
        probe_s: float,
        pauses: Pauses,
        purpose: str = "subscription",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._probe_channel = f"{PROBE}{node}"
        self._channels = {
            channel.encode(): channel for channel in (*channels, self._probe_channel)
        }
        self._patterns = tuple(pattern.encode() for pattern in patterns)
        self._deliver = deliver
        self._commands = commands
        self._before = before
        self._is_up = is_up
        self._is_proven = is_proven
        self._probe_s = probe_s
        self._pauses = pauses
        self._purpose = purpose
        self._clock = clock
        self._probes: dict[bytes, _Probe] = {}
        self._number = 0
        self._proven_at_s = float("-inf")
        self._ahead_s: float | None = None
        self._handover: Handover | None = None
        self._line: Subscription | None = None
        self._moves = 0
        commands.connected.append(self.probe)
        commands.moved.append(self._leave)
        self.covered_from: int | None = None
        self.covered_to = 0
        self._why_not = ""
        self._why_no_other = ""

    @property
    def redis_now_s(self) -> float | None:
        """Seconds since 1970 by the clock of Redis, late by at most the way to it; None at first."""
        return None if self._ahead_s is None else self._clock() + self._ahead_s

    @property
    def silent_s(self) -> float:
        """Seconds since the subscription has been proven; infinite if it never was."""
        return self._clock() - self._proven_at_s

    @property
    def _is_heard(self) -> bool:
        """Whether the subscription was proven lately, or more of a large message comes."""
        line, patience_s = self._line, 1.5 * self._probe_s
        if line is not None and line.is_receiving:
            return time.monotonic() - line.spoke_at_s <= patience_s
        return self.silent_s <= patience_s

    @property
    def complaint(self) -> str:
        """Why nothing is heard, and what to do about it; "" while all is well."""
        if self._line is None:
            return f"{_NONE}{self._why_not}"
        if self._is_heard:
            return ""
        return f"the subscription to Redis does not answer{self._why_no_other}"

    async def run(self) -> NoReturn:
        """Receive until cancelled; reconnects by itself."""
        await stay_connected(
            self._subscribe, self._use, purpose=self._purpose, pauses=self._pauses
        )

    async def _subscribe(self) -> Subscription:
        line = Subscription(self._channels, self._take, self._patterns)
        try:
            await self._open(line)
        except RedisLost as error:
            self._why_not = f": {_with_remedy(error.reason)}"
            raise
        return line

    async def _open(self, line: Subscription) -> None:
        if self._before is not None:
            await self._before()
        moves = self._moves
        await line.open(self._url, self._probe_s)
        await line.subscribe(self._probe_s)
        if moves != self._moves:  # it may lead to the old one
            line.close(ELSEWHERE)
            raise RedisLost(ELSEWHERE)

    async def _use(self, line: Subscription) -> str:
        self._stands(line)
        try:
            while (reason := await self._watch(line)) is None:
                line = await self._replace(line)
            self._why_not = f": {_with_remedy(reason)}"
            return reason
        finally:
            line.close("stopped")
            self._lost()

    def _stands(self, line: Subscription) -> None:
        """A subscription begins, and what was published before may be missing."""
        self._proven_at_s = self._clock()
        self._line = line
        self._why_no_other = ""
        self.covered_to = 0
        self._is_up(True)

    def _leave(self) -> None:
        """The primary is another one: what was published there may be missing."""
        self._moves += 1
        if self._line is not None:
            self._line.close(ELSEWHERE)

    def _lost(self) -> None:
        self.covered_from = None
        self._line = None
        self._probes.clear()
        self._is_up(False)

    def probe(self) -> None:
        """Do not wait for the next turn to find out what has been heard."""
        if self._line is not None:
            self._probe()

    async def _watch(self, line: Subscription) -> str | None:
        """Probe until the line is lost (returns why) or does not answer (returns None)."""
        while True:
            line.has_spoken = False
            probe = self._probes[self._probe()]
            line.ping()
            await wait({line.lost}, self._probe_s / 2)
            if line.lost.done():
                return line.lost.result()
            # A probe that was not even sent proves nothing against the subscription.
            is_busy = line.is_behind or line.is_receiving
            is_unheard = probe.time_us > 0 and not (probe.is_heard or is_busy)
            if is_unheard or not line.has_spoken:
                return None

    async def _replace(self, old: Subscription) -> Subscription:
        """Open another subscription beside one that does not answer, and change over.

        Returns:
            The one to go on with: the old one if it has answered meanwhile, or if there is no
            other to be had.
        """
        asked_at_s = self._clock()
        handover = Handover(self._probe_channel)
        new = Subscription(self._channels, handover.new_heard, self._patterns)
        try:
            try:
                self._handover = handover
                await self._open(new)
            except RedisLost as error:
                self._why_no_other = f", and there is no other: {_with_remedy(error.reason)}"
                return old
            if self._proven_at_s > asked_at_s and not old.lost.done():
                new.close("not needed")
                return old
            handover.expect(self._probe())
            await _first_of(old.lost, handover.is_old_done)
            await _first_of(new.lost, handover.is_new_done)
        except asyncio.CancelledError:
            new.close("stopped")
            raise
        finally:
            self._handover = None
        old.close("replaced")
        if handover.is_seamless:
            self._line = new
        else:
            self._lost()
            self._stands(new)
        new.take = self._take
        handover.finish(self._take)
        return new

    # ── what is heard ───────────────────────────────────────────────────────────────────────

    def _take(self, channel: str, payload: bytes) -> int:
        if self._handover is not None and not self._handover.old_heard(channel, payload):
            return 0
        if channel == self._probe_channel:
            self._heard_probe(payload)
            return 0
        return self._deliver(channel, payload)

    def _heard_probe(self, number: bytes) -> None:
        probe = self._probes.get(number)
        if probe is not None:
            probe.is_heard = True
            self._prove(number, probe)

    def _probe(self) -> bytes:
        """Publish a probe. Return its number."""
        self._number += 1
        number, now = b"%d" % self._number, self._clock()
        while self._probes:
            # One that is not heard for so long belongs to a subscription that is gone.
            oldest = next(iter(self._probes))
            if self._probes[oldest].sent_at_s >= now - self._probe_s:
                break
            del self._probes[oldest]
        self._probes[number] = _Probe(now)
        publish = encode(b"PUBLISH", self._probe_channel.encode(), number)
        self._commands.send(
            _TIME + publish, lambda reply: self._told_time(number, reply), lambda _: None
        )
        return number

    def _told_time(self, number: bytes, reply: Any) -> None:
        """Redis has told us the time, and then published the probe."""
        probe = self._probes.get(number)
        if is_refusal(reply) or probe is None:
            return
        probe.time_us = int(reply[0]) * _MICROSECONDS + int(reply[1])
        self._ahead_s = probe.time_us / _MICROSECONDS - self._clock()
        if self.covered_from is None:
            self.covered_from = probe.time_us
        self._prove(number, probe)

    def _prove(self, number: bytes, probe: _Probe) -> None:
        """A probe is of use when both are known: its time, and that it was heard."""
        if probe.time_us and probe.is_heard:
            del self._probes[number]
            self._proven_at_s = self._clock()
            self._why_no_other = ""
            self.covered_to = max(self.covered_to, probe.time_us)
            self._is_proven(probe.sent_at_s)


async def _first_of(*words: asyncio.Future[Any]) -> None:
    """Wait for the first word, for a second at most."""
    await asyncio.wait(words, timeout=_GRACE_S, return_when=asyncio.FIRST_COMPLETED)


def _with_remedy(reason: str) -> str:
    return f"{reason}: {remedy_for(reason)}"
