"""What is published, as Redis commands. Pure: no Redis, no clock, no environment.

Source: the wire contract with Loomio, 1.2, 1.3 and 1.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from publisher.command import Command
from publisher.contract import RECORDS, SYSTEM_NOTICE
from publisher.errors import InvalidMessage
from publisher.payload import payload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from publisher.rooms import Room


def records_commands(
    records: Mapping[str, object] | None, rooms: Sequence[Room], *, is_finite: bool = False
) -> list[Command]:
    """Announce records to rooms.

    Args:
        records: Serialised records by collection, any JSON object; only its numbers are looked at.
        rooms: A message for each; none of them is no message.
        is_finite: No number of the records is NaN or infinite.

    Returns:
        ``PUBLISH /records`` with ``{"room":...,"records":{...}}`` each. Without a room it is
        ``null``, which reaches nobody. Empty if there are no records: nothing is to be published.

    Raises:
        InvalidMessage: If the records are not a JSON object.
    """
    if records is None:
        return []
    if not isinstance(records, Mapping):
        raise InvalidMessage(
            "records", f"must be a mapping (a JSON object), not {type(records).__name__}"
        )
    if not records:
        return []
    # orjson writes dicts only.
    document = records if isinstance(records, dict) else dict(records)
    written = payload("records", document, is_finite=is_finite)
    return [
        Command(("PUBLISH", RECORDS, b'{"room":%s,"records":%s}' % (_written(name), written)))
        for name, _ in rooms
    ]


def _written(name: str | None) -> bytes:
    return b"null" if name is None else b'"%s"' % name.encode()


def notice_command(notice: str | None, version: str | None, *, reload: bool) -> Command:
    """Announce a notice to every connected client.

    Args:
        notice: Text to show. None takes the notice away.
        version: Version of the application.
        reload: Whether clients offer to reload the page.

    Returns:
        ``PUBLISH /system_notice`` with all three keys, always.

    Raises:
        InvalidMessage: If an argument has another type.
    """
    _check_text("notice", notice)
    _check_text("version", version)
    if not isinstance(reload, bool):
        raise InvalidMessage("reload", f"must be a bool, not {type(reload).__name__}")
    document = {"version": version, "notice": notice, "reload": reload}
    return Command(("PUBLISH", SYSTEM_NOTICE, payload("notice or version", document)))


def _check_text(field: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise InvalidMessage(field, f"must be a str or None, not {type(value).__name__}")
