"""Publishing from asyncio: FastAPI, aiohttp. The same surface as ``publisher.client``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from publisher.aio_link import AsyncLink
from publisher.construction import FromSettings
from publisher.messages import notice_command, records_command
from publisher.tokens import (
    DEFAULT_TTL,
    DefaultTtl,
    new_token,
    revoke_command,
    store_command,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from publisher.settings import Settings
    from publisher.tokens import User


class AsyncPublisher(FromSettings):
    """Feeds the channel server through Redis.

    One for an event loop is enough: tasks share it. A second loop needs a second one.
    Nothing connects before the first command.

    Methods raise what those of ``Publisher`` do. A command that is cancelled may have been
    executed.

    Args:
        settings: Address of Redis, and the defaults.

    Attributes:
        tokens: Issues and revokes channel tokens.
    """

    def __init__(self, settings: Settings) -> None:
        self._link = AsyncLink(settings)
        self.tokens = AsyncTokens(self._link, settings.token_ttl)

    async def publish_records(
        self,
        records: Mapping[str, object] | None,
        *,
        group_id: int | None = None,
        user_id: int | None = None,
    ) -> int:
        """Send records to the browsers of one group, or of one user.

        Args:
            records: Serialised records by collection. None or empty publishes nothing.
            group_id: The group. Wins if both ids are given.
            user_id: The user. Without any id the message goes to nobody.

        Returns:
            How many subscribers Redis passed the message to; 0 if nothing was published.
        """
        command = records_command(records, group_id, user_id)
        return 0 if command is None else int(await self._link.execute(command))

    async def publish_system_notice(
        self, notice: str | None, *, version: str | None = None, reload: bool = False
    ) -> int:
        """Show a notice to everyone who has a page open.

        Args:
            notice: The text. None takes the last notice away.
            version: Version of the application.
            reload: Whether to offer a reload of the page.

        Returns:
            How many subscribers Redis passed the message to.
        """
        return int(await self._link.execute(notice_command(notice, version, reload=reload)))

    async def close(self) -> None:
        """Close all connections. Another command opens new ones."""
        await self._link.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class AsyncTokens:
    """Channel tokens: what a browser shows to be let into its user's rooms.

    Args:
        link: Shared with the publisher.
        default_ttl: Seconds for which a token is valid if ``issue`` names no time.
    """

    def __init__(self, link: AsyncLink, default_ttl: int | None) -> None:
        self._link = link
        self._default_ttl = default_ttl

    async def issue(
        self,
        user: User,
        *,
        group_ids: Iterable[int],
        token: str | None = None,
        ttl: int | DefaultTtl | None = DEFAULT_TTL,
    ) -> str:
        """Let the holder of a token in as a user.

        Args:
            user: An object or a mapping with ``id`` and ``name``.
            group_ids: Groups whose records the user may see.
            token: Stored anew, with the new TTL, if it exists. Omitted: a new one.
            ttl: Seconds until it is forgotten. None: never. Omitted: the publisher's default.

        Returns:
            The token.
        """
        token = new_token() if token is None else token
        ttl_s = self._default_ttl if ttl is DEFAULT_TTL else ttl
        await self._link.execute(store_command(token, user, group_ids, ttl_s))
        return token

    async def revoke(self, token: str) -> bool:
        """Forget a token. Return whether it was known."""
        return bool(await self._link.execute(revoke_command(token)))
