"""The record that a load test publishes: numbered, and stamped with the time it was sent."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

_COLLECTION: Final = "load"


class Sent(NamedTuple):
    """What a received record says about itself.

    Attributes:
        number: Its place among the messages to its group, from 1.
        sent_ns: ``time.monotonic_ns()`` just before it was published. On Linux this clock is
            the same for all processes of one machine, and no other machine's.
    """

    number: int
    sent_ns: int


def write(sent: Sent, *, text_bytes: int) -> dict[str, object]:
    """Make the records to publish: one, with a text of this many bytes beside the stamp."""
    return {_COLLECTION: [{**sent._asdict(), "text": "x" * text_bytes}]}


def read(body: dict[str, Any]) -> Sent:
    """Read the stamp from a ``records`` event's argument.

    Raises:
        KeyError: If the records are not ours.
    """
    record = body["records"][_COLLECTION][0]
    return Sent(record["number"], record["sent_ns"])
