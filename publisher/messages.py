"""What is published, as Redis commands. Pure: no Redis, no clock, no environment.

Source: the wire contract with Loomio, 1.2, 1.3 and 1.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from publisher.command import Command
from publisher.contract import RECORDS, SYSTEM_NOTICE, group_room, user_room
from publisher.errors import InvalidMessage
from publisher.ids import checked_id
from publisher.payload import payload

if TYPE_CHECKING:
    from publisher.contract.ids import Id


def records_command(
    records: Mapping[str, object] | None,
    group_id: Id | None,
    user_id: Id | None,
    *,
    is_finite: bool = False,
) -> Command | None:
    """Announce records to one room.

    Args:
        records: Serialised records by collection, any JSON object; only its numbers are looked at.
        group_id: Publish to this group's room, also if ``user_id`` is given.
        user_id: Publish to this user's room.
        is_finite: No number of the records is NaN or infinite.

    Returns:
        ``PUBLISH /records`` with ``{"room":...,"records":{...}}``. Without an id the room is
        ``null``, which reaches nobody. None if there are no records: nothing is to be published.

    Raises:
        InvalidMessage: If an id is wrong, or the records are not a JSON object.
    """
    room = check_room(group_id, user_id)
    if records is None:
        return None
    if not isinstance(records, Mapping):
        raise InvalidMessage(
            "records", f"must be a mapping (a JSON object), not {type(records).__name__}"
        )
    if not records:
        return None
    # orjson writes dicts only.
    document = records if isinstance(records, dict) else dict(records)
    name = b"null" if room is None else b'"%s"' % room.encode()
    body = b'{"room":%s,"records":%s}' % (name, payload("records", document, is_finite=is_finite))
    return Command(("PUBLISH", RECORDS, body))


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


def check_room(group_id: Id | None, user_id: Id | None) -> str | None:
    """The room of a message; None if it reaches nobody.

    Raises:
        InvalidMessage: If an id is wrong.
    """
    # Both are checked even where one is not used: a wrong id is a mistake in either place.
    user = None if user_id is None else user_room(checked_id("user_id", user_id))
    group = None if group_id is None else group_room(checked_id("group_id", group_id))
    return group or user


def _check_text(field: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise InvalidMessage(field, f"must be a str or None, not {type(value).__name__}")
