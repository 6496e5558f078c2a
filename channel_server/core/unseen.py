"""What a node has heard of and not yet seen in the journal, and the other way round.

Redis says everything twice: it publishes a message, and it has it in the stream. Which of the
two comes first is chance. Messages have no ids of their own, so the two are matched by what they
say, oldest first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from channel_server.core.messages import Content, Message


class Heard(msgspec.Struct, eq=False):
    """One message that was heard.

    Attributes:
        content: Channel and payload.
        at_s: When, in monotonic seconds.
        message: What it says; None if nobody has read it yet.
        is_kept: Its publisher has appended it; nobody else need do so.
        is_delivered: Clients have it already, although it was not seen in the journal.
    """

    content: Content
    at_s: float
    message: Message | None
    is_kept: bool
    is_delivered: bool = False


class Unseen:
    """A bounded multiset of messages, in the order in which they were heard.

    Invariants, which ``tests/property/test_unseen.py`` checks against a model:

    - heard as often as seen, in whatever order: nothing is left;
    - a content is never both waited for and announced;
    - no more than ``max_bytes`` of payloads wait, and as many are announced: the oldest are given
      up.

    Args:
        max_bytes: Bound on the payloads of each side.
        give_up: Called with every message that waited and was dropped for want of room.
    """

    def __init__(self, max_bytes: int, give_up: Callable[[Heard], None]) -> None:
        self._max_bytes = max_bytes
        self._give_up = give_up
        self._bytes = 0
        self._by_content: dict[Content, list[Heard]] = {}
        self._order: dict[Heard, None] = {}
        self._announced: dict[Content, list[float]] = {}
        self._announced_bytes = 0

    def hear(
        self, content: Content, at_s: float, message: Message | None, *, is_kept: bool
    ) -> Heard | None:
        """Note a message that was heard. None if it was seen in the journal before."""
        announced = self._announced.get(content)
        if announced is not None:
            self._retract(content, announced)
            return None
        heard = Heard(content, at_s, message, is_kept)
        same = self._by_content.get(content)
        if same is None:
            self._by_content[content] = [heard]
        else:
            same.append(heard)
        self._order[heard] = None
        self._bytes += len(content[1])
        while self._bytes > self._max_bytes and len(self._order) > 1:
            oldest = next(iter(self._order))
            self.forget(oldest)
            self._give_up(oldest)
        return heard

    def see(self, content: Content, at_s: float) -> Heard | None:
        """Note an entry of the journal. Return it as it was heard; None if it was not, yet.

        Args:
            content: What it says.
            at_s: When; minus infinity if it will never be heard.
        """
        waiting = self._by_content.get(content)
        if waiting is None:
            if at_s == float("-inf"):
                return None
            self._announced.setdefault(content, []).append(at_s)
            self._announced_bytes += len(content[1])
            while self._announced_bytes > self._max_bytes:
                oldest = next(iter(self._announced))
                self._retract(oldest, self._announced[oldest])
            return None
        heard = waiting[0]
        self.forget(heard)
        return heard

    def forget_announced(self, before_s: float) -> None:
        """What was seen before this time will not be heard any more."""
        for content in [
            content for content, times in self._announced.items() if times[0] < before_s
        ]:
            times = self._announced[content]
            while times and times[0] < before_s:
                self._retract(content, times)

    def forget_delivered(self, before_s: float) -> None:
        """What clients have, and the journal did not show by now, it never will."""
        for heard in [heard for heard in self._order if heard.is_delivered]:
            if heard.at_s < before_s:
                self.forget(heard)

    def waiting(self) -> Iterator[Heard]:
        """Messages that clients do not have yet, oldest first."""
        return (heard for heard in list(self._order) if not heard.is_delivered)

    @property
    def oldest(self) -> Heard | None:
        """The message that clients have been waiting for longest."""
        return next((heard for heard in self._order if not heard.is_delivered), None)

    def __len__(self) -> int:
        return len(self._order)

    def _retract(self, content: Content, times: list[float]) -> None:
        del times[0]
        if not times:
            del self._announced[content]
        self._announced_bytes -= len(content[1])

    def forget(self, heard: Heard) -> None:
        """Wait no more for a message that was heard."""
        del self._order[heard]
        same = self._by_content[heard.content]
        if len(same) == 1:
            del self._by_content[heard.content]
        else:
            same.remove(heard)
        self._bytes -= len(heard.content[1])
