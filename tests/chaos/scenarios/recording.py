"""Which node appends what was published plainly, and whether it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from publisher.contract.journal import JOURNAL, LEASE
from tests.chaos.publishers import body, plain_text
from tests.chaos.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis.asyncio

    from tests.chaos.node import Node
    from tests.chaos.stage import Stage

LEASE_S: Final = 3.0
"""How long a lease is valid."""


async def recording_node(connection: redis.asyncio.Redis, nodes: Sequence[Node]) -> Node:
    """The node that holds the lease: its id contains its process id, between dashes.

    Raises:
        LookupError: If none of them does.
    """
    lease = await connection.get(LEASE)
    for node in nodes:
        if f"-{node.pid}-" in (lease or ""):
            return node
    raise LookupError(f"no node holds the lease: {lease!r}")


async def all_recorded(stage: Stage, publisher: str) -> None:
    """Return when all that was published plainly is in the journal.

    Raises:
        DidNotHappen: If it is not in time.
    """
    owed = {
        plain_text(one.room, body(one.id, one.publisher, one.number)).decode()
        for one in stage.ledger.published
        if one.publisher == publisher
    }

    async def are_kept() -> bool:
        return owed <= {fields["d"] for _, fields in await stage.redis.xrange(JOURNAL)}

    await until(are_kept, "what is owed is recorded", within_s=stage.plan.settle_s)
