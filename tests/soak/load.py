"""All that goes on at the servers during a soak."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, Self

from publisher import AsyncPublisher
from tests.chaos.tasks import Tasks
from tests.soak.churn import Churn
from tests.soak.edits import Edits
from tests.soak.press import Press
from tests.soak.visits import Visits

if TYPE_CHECKING:
    from tests.soak.stage import Stage

_VISITS_PER_S: Final = (60.0, 80.0)
_EDITORS_PER_S: Final = (30.0, 40.0)
_MESSAGES_PER_S: Final = 40.0
_FAILED_SHARE: Final = 0.01


class Load:
    """A context manager: clients come and go, and messages are published, while it lasts."""

    def __init__(self, stage: Stage) -> None:
        dice = random.Random(1)  # the same ways and stays in each run
        self._publisher = AsyncPublisher.from_url(stage.redis.url)
        self._visits = Visits(stage.serve.port, self._publisher, dice)
        self._edits = Edits(stage.collab.port, dice)
        self._press = Press(stage.redis.url, self._publisher, self._visits, dice)
        self._live = Churn(self._visits.ways, _VISITS_PER_S, dice)
        self._editors = Churn(self._edits.ways, _EDITORS_PER_S, dice)
        self._tasks = Tasks()
        self._start_s = time.monotonic()
        self._start_cpu_s = time.process_time()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.start(self._live.run(), name="live")
        self._tasks.start(self._editors.run(), name="editors")
        self._tasks.start(self._press.run(_MESSAGES_PER_S), name="press")
        return self

    async def __aexit__(self, *error: object) -> None:
        try:
            await self._tasks.__aexit__(*error)
        finally:
            await self._press.close()
            await self._publisher.close()

    @property
    def clients(self) -> int:
        """How many there have been so far, of both servers."""
        return self._live.begun + self._editors.begun

    def summary(self) -> list[str]:
        """What was done, in a few lines."""
        seconds = time.monotonic() - self._start_s
        cpu = (time.process_time() - self._start_cpu_s) / seconds
        return [
            self._of("live", self._live, seconds)
            + f"{self._press.published:,} messages published, {self._visits.heard:,} received, "
            f"{self._visits.recovered:,} of {self._visits.returned:,} returns recovered",
            self._of("documents", self._editors, seconds)
            + f"{self._edits.edited:,} edits, {self._edits.heard:,} messages received",
            f"the load took {cpu:.0%} of a core",
        ]

    @staticmethod
    def _of(name: str, churn: Churn, seconds: float) -> str:
        failed = churn.failed.total() + churn.left_out
        rate = churn.begun / seconds
        return f"{name}: {churn.begun:,} clients, {rate:.0f} a second, {failed} failed; "

    def problems(self) -> list[str]:
        """What failed, if it is too much to say that the soak has shown anything."""
        found = []
        for name, churn in (("live", self._live), ("documents", self._editors)):
            failed = churn.failed.total() + churn.left_out
            if failed > _FAILED_SHARE * churn.begun:
                worst = "; ".join(f"{count}: {how}" for how, count in churn.failed.most_common(5))
                found.append(f"{name}: {failed:,} of {churn.begun:,} clients failed: {worst}")
        if not (self._visits.heard and self._visits.recovered and self._edits.heard):
            found.append("clients received nothing")
        return found
