"""Which node appends what was published plainly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis.asyncio

    from tests.chaos.node import Node

LEASE_S: Final = 3.0
"""How long a lease is valid."""

_LEASE: Final = "{channel_server}:lease"


async def recording_node(connection: redis.asyncio.Redis, nodes: Sequence[Node]) -> Node:
    """The node that holds the lease: its id contains its process id, between dashes.

    Raises:
        LookupError: If none of them does.
    """
    lease = await connection.get(_LEASE)
    for node in nodes:
        if f"-{node.pid}-" in (lease or ""):
            return node
    raise LookupError(f"no node holds the lease: {lease!r}")
