"""The application of a soak: publishes all that a server delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from publisher import AsyncPublisher
from tests.soak.pace import beats
from tests.soak.visits import GROUPS

if TYPE_CHECKING:
    from random import Random

    from tests.soak.visits import Visits

_LARGEST_BYTES: Final = 4096
_NOTICE_EVERY: Final = 200
_USER_EVERY: Final = 4


class Press:
    """Publishes to groups, some of it plainly, to users, and now and then to everybody.

    Args:
        redis_url: Where to.
        publisher: Publishes what is to be kept.
        visits: Know who was there last.
        random: Picks rooms and sizes.

    Attributes:
        published: Messages so far.
    """

    def __init__(
        self, redis_url: str, publisher: AsyncPublisher, visits: Visits, random: Random
    ) -> None:
        self.published = 0
        self._plain = AsyncPublisher.from_url(redis_url, journal=False)
        self._publisher = publisher
        self._visits = visits
        self._random = random

    async def run(self, per_s: float) -> None:
        """Publish until cancelled, at a rate that fills a journal of 4 MiB within a minute."""
        async for _ in beats(per_s, per_s, self._random):
            self.published += 1
            await self._publish(self.published)

    async def _publish(self, number: int) -> None:
        text = "x" * self._random.randrange(_LARGEST_BYTES)
        records = {"events": [{"id": number, "body": text}]}
        group_id = self._random.choice(GROUPS)
        if number % _NOTICE_EVERY == 0:
            await self._publisher.publish_system_notice(f"notice {number}")
        elif number % _USER_EVERY == 0:
            user_id = self._visits.somebody()
            await self._publisher.publish_records(records, user_id=user_id)
        else:
            publisher = self._publisher if number % 2 else self._plain
            await publisher.publish_records(records, group_id=group_id)

    async def close(self) -> None:
        """Close its connection."""
        await self._plain.close()
