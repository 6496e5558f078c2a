"""Visits to the server of live updates, one method for each way in which they end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from typing import TYPE_CHECKING, Final

from tests.chaos import http
from tests.chaos.polling import Polling
from tests.chaos.wire import TARGET, Unexpected
from tests.soak.page import Page
from tests.soak.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from random import Random

    from publisher import AsyncPublisher
    from tests.chaos.wire import Wire

GROUPS: Final = tuple(range(1, 25))

_GROUPS_EACH: Final = 2
_STAY_S: Final = (1.0, 6.0)
_AWAY_S: Final = (0.2, 1.0)
_REMEMBERED: Final = 200  # the users of the last three seconds or so
_GOODBYE: Final = ("41", "1")
_STRANGER: Final = "null"  # what Loomio's page shows when nobody has logged in


class Visits:
    """Whoever comes is new, with a user and a token that nobody had before; or a stranger.

    Args:
        port: Of the server.
        publisher: Issues tokens.
        random: Decides who is in which group, and how long everybody stays.

    Attributes:
        heard: Events that clients received.
        returned, recovered: Clients that came back, and those that had missed nothing then.
    """

    def __init__(self, port: int, publisher: AsyncPublisher, random: Random) -> None:
        self.heard = self.returned = self.recovered = 0
        self._port = port
        self._publisher = publisher
        self._random = random
        self._user_ids = itertools.count(1)
        self._latest = deque([1], _REMEMBERED)

    @property
    def ways(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """All of them."""
        return (
            self.close,
            self.reset_and_return,
            self.say_goodbye,
            self.say_goodbye_by_polling,
            self.upgrade_and_close,
            self.give_up_polling,
            self.vanish,
            self.never_connect,
            self.be_refused,
            self.be_sent_away,
            self.come_as_a_stranger,
        )

    def somebody(self) -> int:
        """Id of a user who has come lately, and may have gone already."""
        return self._random.choice(self._latest)

    async def close(self) -> None:
        async with self._joined(Page, await self._user()) as page:
            await page.close()

    async def reset_and_return(self) -> None:
        visitor = await self._user()
        async with self._joined(Page, visitor):
            pass
        await asyncio.sleep(self._random.uniform(*_AWAY_S))
        async with self._joined(Page, visitor):
            self.returned += 1
            self.recovered += visitor.has_recovered

    async def say_goodbye(self) -> None:
        async with self._joined(Page, await self._user()) as page:
            for packet in _GOODBYE:
                await page.send(packet)
            await page.end()

    async def say_goodbye_by_polling(self) -> None:
        async with self._joined(Polling, await self._user()) as polling:
            await polling.send("\x1e".join(_GOODBYE))

    async def upgrade_and_close(self) -> None:
        visitor = await self._user()
        async with self._open(Polling, visitor.token) as polling:
            await visitor.join(polling)
            page = await Page.instead_of(polling, self._port, visitor.token)
        try:
            await self._stay(visitor, page)
            await page.close()
        finally:
            page.reset()

    async def give_up_polling(self) -> None:
        async with self._joined(Polling, await self._user()):
            pass

    async def vanish(self) -> None:
        """Go without a word between two polls: the server finds out after 45 s.

        In no group: what waits for those who never fetch it is megabytes, now more, now less.
        """
        visitor = await self._user(groups=())
        async with self._open(Polling, visitor.token) as polling:
            await visitor.join(polling)
            await asyncio.sleep(self._stay_s())

    async def never_connect(self) -> None:
        kind = self._random.choice((Page, Polling))
        visitor = await self._user()
        async with self._open(kind, visitor.token):
            await asyncio.sleep(self._stay_s())

    async def be_refused(self) -> None:
        """For a session that is not there, for a namespace, and for nonsense."""
        target = TARGET.format(transport="polling", token=_STRANGER)
        response = await http.get(self._port, f"{target}&sid=of-nobody")
        if response is None or response.status != 400:
            raise Unexpected(str(response))
        async with self._open(Page, _STRANGER) as page:
            await page.send("40/admin,")
            if not (packet := await page.receive()).startswith("44/admin,"):
                raise Unexpected(packet)
            await page.send("nonsense")
            await page.end()

    async def be_sent_away(self) -> None:
        visitor = await self._user()
        async with self._joined(Page, visitor) as page:
            await self._publisher.disconnect_user(visitor.user_id)
            await page.end()

    async def come_as_a_stranger(self) -> None:
        async with self._joined(Page, Visitor(0, _STRANGER)) as page:
            await page.close()

    async def _user(self, groups: Sequence[int] = GROUPS) -> Visitor:
        user_id = next(self._user_ids)
        group_ids = self._random.sample(groups, min(_GROUPS_EACH, len(groups)))
        token = await self._publisher.tokens.issue(
            {"id": user_id, "name": "Ann"}, group_ids=group_ids
        )
        self._latest.append(user_id)
        return Visitor(user_id, token)

    @contextlib.asynccontextmanager
    async def _joined(self, kind: type[Wire], visitor: Visitor) -> AsyncIterator[Wire]:
        """Come, connect and stay for a while; the block says how it ends, else it is a reset."""
        async with self._open(kind, visitor.token) as wire:
            await visitor.join(wire)
            await self._stay(visitor, wire)
            yield wire

    @contextlib.asynccontextmanager
    async def _open(self, kind: type[Wire], token: str) -> AsyncIterator[Wire]:
        wire = await kind.open(self._port, token)
        try:
            yield wire
        finally:
            wire.reset()

    async def _stay(self, visitor: Visitor, wire: Wire) -> None:
        await visitor.stay(wire, self._stay_s())
        self.heard += visitor.heard
        visitor.heard = 0

    def _stay_s(self) -> float:
        return self._random.uniform(*_STAY_S)
