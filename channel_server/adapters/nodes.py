"""Which channel servers share this Redis, by their last signs of life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from channel_server.adapters.line import encode
from publisher.contract.journal import NODES

if TYPE_CHECKING:
    from channel_server.adapters.commands import Commands

_NODES: Final = NODES.encode()
_WITHIN_S: Final = 1.0
_SILENT_MS: Final = 10_000.0


async def living_nodes(commands: Commands) -> list[str]:
    """Names of the nodes that have the journal in Redis, in alphabetical order.

    Who has been silent for ten seconds longer than the one that spoke last is left out.

    Raises:
        RedisLost: If there is no answer.
        RedisRefused: If the answer is an error.
    """
    reply = await commands.execute(
        encode(b"ZRANGE", _NODES, b"0", b"-1", b"WITHSCORES"), within_s=_WITHIN_S
    )
    signs = dict(zip(reply[::2], map(float, reply[1::2]), strict=True))
    oldest_ms = max(signs.values(), default=0.0) - _SILENT_MS
    return sorted(name.decode(errors="replace") for name, ms in signs.items() if ms >= oldest_ms)
