"""Once a second: how late the event loop is; and what has been going on, for the dashboard's charts."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Final, NoReturn

from channel_server.log import Seldom

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.metrics import Histogram

log = logging.getLogger(__name__)

_EVERY_S: Final = 1.0
_KEPT: Final = 300

Sample = dict[str, float]


class Pulse:
    """Looks at the server as long as it runs.

    Args:
        loop_lag: Gets how late the loop was.
        sample: Returns the numbers to keep; nothing is kept without it.
        clock: Monotonic seconds.

    Attributes:
        history: Samples of the last five minutes, the oldest first, each with ``at_s`` and
            ``loop_lag_s``.
    """

    def __init__(
        self,
        loop_lag: Histogram,
        sample: Callable[[], Sample] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop_lag = loop_lag
        self._sample = sample
        self._clock = clock
        self.history: deque[Sample] = deque(maxlen=_KEPT)

    async def run(self, every_s: float = _EVERY_S) -> NoReturn:
        """Look until cancelled."""
        seldom = Seldom(self._clock)
        while True:
            due_s = self._clock() + every_s
            await asyncio.sleep(every_s)
            now_s = self._clock()
            try:
                self._look(now_s, now_s - due_s)
            except Exception:  # what is only looked at must not end the server
                if seldom.may_say("sample failed"):
                    log.exception("sample failed")

    def _look(self, now_s: float, late_s: float) -> None:
        self._loop_lag.observe(late_s)
        if self._sample is not None:
            sample = {"at_s": now_s, "loop_lag_s": max(late_s, 0.0), **self._sample()}
            self.history.append(sample)
