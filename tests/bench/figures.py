"""What is measured, in which unit, and what must hold for our server."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.servers import (
    BARE,
    FLOOR,
    HOCUSPOCUS,
    NODE,
    OURS,
    OURS_OFF,
    QUIET,
    SOCKETIO,
    TITLES,
)


@dataclass(frozen=True, slots=True)
class Bar:
    """An upper limit for our server.

    Attributes:
        limit: A factor of the figure of ``against``, else a value in the unit of the figure.
        of: Which of our servers it is for: with recovery, or without.
    """

    limit: float
    against: str | None = None
    of: str = OURS


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        title: What it is, with its unit.
        scale: Multiplies a sample, which is in seconds or bytes, to get that unit.
        how: How it is measured, for the page.
        pick: Makes one sample of those of all rounds.
    """

    title: str
    scale: float
    bars: tuple[Bar, ...]
    how: str
    pick: Callable[[Sequence[float]], float] = statistics.median


_US: Final = 1e6
_MS: Final = 1e3
_KB: Final = 1 / 1024
_MB: Final = 1 / 1024**2

SERVER_FIGURES: Final = {
    "delivery": Figure(
        "CPU per delivery, µs",
        _US,
        (
            Bar(0.65, NODE),
            Bar(0.6, NODE, OURS_OFF),
            Bar(1.5, FLOOR, OURS_OFF),
            Bar(0.15, SOCKETIO, OURS_OFF),
        ),
        "1,000 websocket clients in one room; the next message is published when all clients "
        "have received the one before, so no server can join two messages in one write.",
    ),
    "user": Figure(
        "CPU per message to one user, µs",
        _US,
        (Bar(0.75, NODE), Bar(0.4, NODE, OURS_OFF)),
        "1,000 websocket clients; one message to the room of each, 1,000 under way, as when Loomio announces a discussion to 1,000 members; again and again.",
    ),
    "connect": Figure(
        "CPU per connect, µs",
        _US,
        (Bar(0.75, NODE),),
        "Upgrade request, CONNECT, token look-up in Redis, five rooms; 50 clients at a time, "
        "until the server is at rest. The servers are warm: this comes after the messages, and the "
        "1,000 clients have connected twice before.",
    ),
    "latency": Figure(
        "p99 latency, ms",
        _MS,
        (Bar(1.2, NODE),),
        "From publishing to receiving, over all deliveries; ten messages a second to 1,000 "
        "websocket clients. It contains the 6 µs or so that the driver takes per delivery.",
    ),
    "rss": Figure(
        "resident memory of the process, MB",
        _MB,
        (Bar(0.45, NODE),),
        "RSS of a process that was started for it, after 1,000 websocket clients have connected "
        "and received all messages of the first figure.",
    ),
    "poll-delivery": Figure(
        "polling: CPU per delivery, µs",
        _US,
        (Bar(0.9, NODE),),
        "As for websocket, with 1,000 clients that only poll; the next message is published when "
        "all clients have received the one before and polled again.",
    ),
    "poll-user": Figure(
        "polling: CPU per message to one user, µs",
        _US,
        (Bar(0.9, NODE),),
        "As for websocket, with 1,000 clients that only poll.",
    ),
    "poll-connect": Figure(
        "polling: CPU per connect, µs",
        _US,
        (Bar(0.9, NODE),),
        "As for websocket: GET to open, POST of CONNECT, GET of the reply, GET that stays open.",
    ),
    "memory": Figure(
        "memory per idle connection, KB",
        _KB,
        (Bar(8),),
        "Growth of the USS by 4,000 websocket clients, at rest for some seconds.",
    ),
    "idle": Figure(
        "CPU of 4,000 idle clients, ms per second",
        _MS,
        (Bar(0.6, NODE), Bar(0.6, NODE, OURS_OFF)),
        "4,000 websocket clients that receive nothing but heartbeats, over one ping interval, five times; all servers at the same time, each with 4,000. Our metrics are scraped every 12.5 s.",
    ),
    "drop": Figure(
        "CPU per dropped client, µs",
        _US,
        (Bar(100),),
        "4,000 websocket clients reset their connections at once; until all sockets are closed "
        "and the server is at rest.",
    ),
    "bystander": Figure(
        "longest echo during the drop, ms",
        _MS,
        (Bar(100),),
        "One more client, to whose room a message is published every 5 ms: the longest time from "
        "publishing to receiving while the 4,000 are dropped; the worst of all rounds.",
        pick=max,
    ),
}

PUBLISHER_FIGURES: Final = {
    "serialize": Figure(
        "CPU to serialise an event, µs",
        _US,
        (Bar(20, BARE),),
        "`serialize_models` of the event of an answer to a comment (nine records, 4.5 KB), beside `orjson.dumps` of the result.",
    ),
    "serialize-dates": Figure(
        "the same, with dates as datetimes, µs",
        _US,
        (),
        "The models have `datetime` objects, as those of an ORM, instead of text.",
    ),
    "publish": Figure(
        "CPU to publish 2 KB, µs",
        _US,
        (Bar(1.5, BARE),),
        "`publish_records`, into the journal and to all that listen, beside redis-py's `publish` of the bytes, plainly.",
    ),
    "batch": Figure(
        "time per message of a batch of 1,000, µs",
        _US,
        (Bar(0.2, BARE),),
        "`publisher.batch()` beside single calls of `publish_records`; 2 KB each; wall time.",
    ),
    "import": Figure(
        "CPU of the import beyond that of redis-py, ms",
        _MS,
        (Bar(30),),
        "`from publisher import Publisher`, less `import redis`, each in a fresh interpreter.",
    ),
}
BOT_FIGURES: Final = {
    "bots-latency": Figure(
        "p99 latency of live updates, ms",
        _MS,
        (Bar(1.25, QUIET),),
        "As above, of a server with ten Matrix bots whose homeserver accepts connections and never answers, beside one without.",
    ),
}
DOCUMENT_FIGURES: Final = {
    "documents": Figure(
        "CPU per edit and movement, µs",
        _US,
        (Bar(0.75, HOCUSPOCUS),),
        "40 clients at 10 documents, who join, make 2,400 edits and as many changes of awareness, each when the edit before it was accepted; every one is told to the four at the document.",
    ),
    "documents-rss": Figure(
        "resident memory after that, MB",
        _MB,
        (Bar(0.55, HOCUSPOCUS),),
        "RSS of the server and its children.",
    ),
    "documents-join": Figure(
        "CPU to join a long document, ms",
        _MS,
        (Bar(20),),
        "A document of 20,000 single keystrokes that somebody has open: connect, authenticate, get all of it, leave.",
    ),
    "document-lag": Figure(
        "longest echo while somebody asks for all of it 200 times at once, ms",
        _MS,
        (Bar(100),),
        "Of a client at another document, which moves and waits for its echo again and again; the worst of all rounds.",
        pick=max,
    ),
    "document-memory": Figure(
        "memory per idle open document, KB",
        _KB,
        (Bar(4),),
        "Growth of the USS by 1,000 documents of one letter, all open on one socket.",
    ),
    "document-socket": Figure(
        "memory per idle socket, KB",
        _KB,
        (Bar(12),),
        "Growth of the USS by 2,000 clients at one document.",
    ),
    "document-merge": Figure(
        "longest merge on the event loop, ms",
        _MS,
        (Bar(20),),
        "256 KiB of single keystrokes, merged with one more; what is larger is merged in a process of its own.",
    ),
}
FIGURES: Final = SERVER_FIGURES | PUBLISHER_FIGURES | BOT_FIGURES | DOCUMENT_FIGURES


class Samples:
    """Everything measured so far, by figure and server; each figure is a median."""

    def __init__(self) -> None:
        self._samples: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, figure: str, server: str, sample: float) -> None:
        """Note one round: seconds or bytes."""
        self._samples[figure, server].append(sample)

    def value(self, figure: str, server: str) -> float | None:
        """What the rounds come to in the unit of the figure, or None if it was not measured."""
        samples = self._samples.get((figure, server))
        about = FIGURES[figure]
        return about.pick(samples) * about.scale if samples else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A bar beside what was measured.

    Attributes:
        measured: In the same terms as ``bar.limit``.
    """

    bar: Bar
    measured: float

    @property
    def is_met(self) -> bool:
        return self.measured <= self.bar.limit

    def __str__(self) -> str:
        outcome = "PASS" if self.is_met else "FAIL"
        if self.bar.against is None:
            return f"{outcome} ≤ {self.bar.limit:g}"
        whose = "" if self.bar.of == OURS else "without recovery "
        other = TITLES[self.bar.against]
        return f"{outcome} {whose}{self.measured:.2f} of {other} (≤ {self.bar.limit:g})"


def verdicts(figure: str, samples: Samples) -> list[Verdict]:
    """Judge our server; a bar is left out when one of its two values was not measured."""
    found = []
    for bar in FIGURES[figure].bars:
        ours = samples.value(figure, bar.of)
        other = 1.0 if bar.against is None else samples.value(figure, bar.against)
        if ours is not None and other is not None:
            found.append(Verdict(bar, ours / other))
    return found
