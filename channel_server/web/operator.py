"""What an operator can see of a server and do to it: the shapes of the HTTP API.

Counts are of this node; orders go to all nodes, through Redis, as those of the application.
"""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from msgspec import Meta, Struct

_AS_STORED = "As in the application's database; the number 7 and the text 7 are the same."
Id = (
    Annotated[int, Meta(ge=-(2**63), le=2**63 - 1, description=_AS_STORED)]
    | Annotated[
        str,
        Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_.:-]+$", description=_AS_STORED),
    ]
)


class Publish(Struct, forbid_unknown_fields=True, frozen=True):
    """Records, by collection."""

    records: Annotated[
        dict[str, Any],
        Meta(
            min_length=1,
            description="What the receivers' pages put into their store; integers of at most 64 bits.",
            examples=[{"comments": [{"id": 1, "body": "hi"}]}],
        ),
    ]


class Notice(Struct, forbid_unknown_fields=True, frozen=True):
    """A line for everybody who is online."""

    text: (
        Annotated[str, Meta(max_length=10_000, description="Null clears the last one.")] | None
    ) = None
    version: Annotated[str, Meta(max_length=100)] | None = None
    reload: Annotated[bool, Meta(description="Offer to load the page again.")] = False


class Groups(Struct, forbid_unknown_fields=True, frozen=True):
    """All groups of a user from now on."""

    group_ids: Annotated[list[Id], Meta(max_length=10_000)]


class Sent(Struct, frozen=True):
    """How many channel servers have heard it."""

    receivers: int


class Moved(Struct, frozen=True):
    """For how many of a user's tokens the groups were written anew; online clients moved, too."""

    tokens: int


class Connections(Struct, frozen=True):
    """Clients of one transport and kind."""

    transport: str
    kind: str
    clients: int


class Logged(Struct, frozen=True):
    """One line of the log."""

    at: str
    level: str
    event: str
    fields: dict[str, str]


class Totals(Struct, frozen=True):
    """What has happened since the start."""

    messages: int
    deliveries: int
    delivered_bytes: int
    recovered: int
    not_recovered: int
    malformed: int
    refused: int


class Info(Struct, frozen=True):
    """How the server is, and who is here."""

    node: str
    version: str
    uptime_s: float
    status: str
    reasons: list[str]
    connections: list[Connections]
    users: int
    rooms: int
    slow_clients: int
    probe_age_s: float | None
    redis: str
    journal: str
    nodes: list[str]
    totals: Totals
    warnings: list[Logged]


class Room(Struct, frozen=True):
    """A room and how many clients are in it."""

    name: str
    clients: int


class Rooms(Struct, frozen=True):
    """The largest rooms, and how many there are in all."""

    rooms: list[Room]
    total: int


class User(Struct, frozen=True):
    """Whether a user is online, here."""

    user_id: Id
    is_online: bool
    clients: int


class Journal(Struct, frozen=True):
    """Where what clients may have missed is kept."""

    mode: str
    trouble: str
    epoch: str
    offset: str
    entries: int
    kept_bytes: int
    is_complete: Annotated[
        bool, Meta(description="Whether everything that is published now can be recovered.")
    ]


class History(Struct, frozen=True):
    """The last minutes, one sample a second, the oldest first; counts are totals."""

    samples: list[dict[str, float]]


class Draining(Struct, frozen=True):
    """The server goes away."""

    clients: int


class CannotDo(Exception):
    """What was asked for cannot be done.

    Attributes:
        status: HTTP status.
        reason: For the operator.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class Operator(Protocol):
    """A server as its operator sees it. Methods that send raise ``CannotDo``."""

    async def info(self) -> Info:
        """How it is."""
        ...

    def history(self) -> History:
        """What has been going on."""
        ...

    def rooms(self, part_of_name: str, limit: int) -> Rooms:
        """The largest rooms whose names contain a text."""
        ...

    def room(self, name: str) -> Room:
        """One room, if only with nobody in it."""
        ...

    def user(self, user_id: Id) -> User:
        """Whether a user is online."""
        ...

    def journal(self) -> Journal:
        """How the journal is."""
        ...

    async def publish_to_group(self, group_id: Id, message: Publish) -> Sent:
        """Publish records to the members of a group."""
        ...

    async def publish_to_user(self, user_id: Id, message: Publish) -> Sent:
        """Publish records to one user."""
        ...

    async def notice(self, message: Notice) -> Sent:
        """Publish a notice."""
        ...

    async def disconnect(self, user_id: Id) -> Sent:
        """Hang up a user, on all nodes."""
        ...

    async def replace_groups(self, user_id: Id, groups: Groups) -> Moved:
        """Move a user's clients, on all nodes."""
        ...

    def drain(self) -> Draining:
        """Begin to go away, as at SIGTERM."""
        ...
