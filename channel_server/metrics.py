"""What has happened since the start, as plain counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Metrics:
    """Counts since the start of the process.

    Attributes:
        messages: Messages from Redis that were delivered to a room, members or not.
        malformed: Messages that were refused.
        unaddressed: Messages without a room: delivered to nobody.
        deliveries: Packets written to clients.
        connects: Clients connected to the main namespace.
        anonymous: Those of them without a user.
        failed_lookups: Clients sent away because Redis did not answer.
    """

    messages: int = 0
    malformed: int = 0
    unaddressed: int = 0
    deliveries: int = 0
    connects: int = 0
    anonymous: int = 0
    failed_lookups: int = 0
