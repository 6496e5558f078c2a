"""Records that look like the ones Loomio publishes for a new comment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

Records: TypeAlias = "dict[str, list[dict[str, object]]]"

_DISCUSSION_ID: Final = 100
_AUTHOR_ID: Final = 3


def new_comment(text: str, *, number: int, created_at: datetime) -> Records:
    """Make the event and the comment of one demo message.

    Args:
        text: Body of the comment, plain text or Markdown.
        number: Counts up from 1; used as id of both records, so that no two messages replace
            each other in a client's store.
        created_at: In UTC.

    Returns:
        ``{"events": [event], "comments": [comment]}``, with keys and types as in Loomio.
    """
    stamp = created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event: dict[str, object] = {
        "id": number,
        "kind": "new_comment",
        "sequence_id": number,
        "discussion_id": _DISCUSSION_ID,
        "eventable_id": number,
        "eventable_type": "Comment",
        "actor_id": _AUTHOR_ID,
        "created_at": stamp,
    }
    comment: dict[str, object] = {
        "id": number,
        "body": text,
        "body_format": "md",
        "discussion_id": _DISCUSSION_ID,
        "author_id": _AUTHOR_ID,
        "created_at": stamp,
    }
    return {"events": [event], "comments": [comment]}
