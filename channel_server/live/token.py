"""The channel token of a session: it stands in the query of its first request, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_server.engine.http import read_query

if TYPE_CHECKING:
    from channel_server.engine.session import Session


def token_of(session: Session) -> str:
    """The token that a client has come with, or "". Never log it."""
    return read_query(session.query).get("channel_token", "")
