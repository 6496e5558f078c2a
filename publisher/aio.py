"""Publishing from asyncio: FastAPI, aiohttp. The same surface as ``publisher.client``."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Self

from publisher.aio_link import AsyncPooledLink
from publisher.batch import Batch
from publisher.chatbots import TEST_MESSAGE, html_command, trial_command
from publisher.client_link import AsyncClientLink
from publisher.cluster import AsyncClusterLink
from publisher.construction import FromSettings, checked_settings
from publisher.contract.redis_url import Kind, read_url
from publisher.control import hang_up_user
from publisher.journaling import Journaling
from publisher.messages import notice_command, records_commands
from publisher.models import models_commands
from publisher.rooms import rooms_of
from publisher.tokens import (
    DEFAULT_TTL,
    DefaultTtl,
    issue_steps,
    new_token,
    replace_groups_steps,
    revoke_steps,
    revoke_user_steps,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from types import TracebackType
    from typing import Unpack

    from redis.asyncio import Redis, RedisCluster

    from publisher.aio_link import AsyncLink
    from publisher.chatbots import MatrixConfig
    from publisher.command import Command
    from publisher.ids import AnyId
    from publisher.models import HowAndWhere
    from publisher.rooms import Where
    from publisher.settings import Settings
    from publisher.tokens import User
    from publisher.watching import OnPublish


class AsyncPublisher(FromSettings):
    """Feeds the channel server through Redis.

    One for an event loop is enough: tasks share it. It stays in the loop of its first call until it
    is closed, or that loop is. Nothing connects before the first command.

    Methods raise what those of ``Publisher`` do. A command that is cancelled may have been
    executed.

    Args:
        settings: Address of Redis, and the defaults.
        on_publish: Called with channel, bytes, seconds and outcome of each message; see
            ``publisher.watching``. What it raises is logged.
        client: Of redis-py, in place of the address: a ``redis.asyncio.Redis``, also of Sentinel's
            ``master_for``, or a ``redis.asyncio.RedisCluster``. Its pool, retries and time-outs are used.

    Attributes:
        chatbots: Lets Matrix bots write.
        tokens: Issues and revokes channel tokens.

    Raises:
        ConfigError: If something else is passed in the place of either.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        client: Redis | RedisCluster | None = None,
        on_publish: OnPublish | None = None,
    ) -> None:
        settings = checked_settings(self, settings, client, "redis.asyncio.Redis")
        self._link = _link_to(settings, client)
        self._journaling = Journaling(
            is_wanted=settings.journal,
            max_message_bytes=settings.max_message_bytes,
            on_publish=on_publish,
            is_cluster=self._link.is_cluster,
        )
        self.chatbots = AsyncChatbots(self._link, self._journaling)
        self.tokens = AsyncTokens(self._link, self._journaling, settings.token_ttl)

    async def publish_records(
        self, records: Mapping[str, object] | None, **where: Unpack[Where]
    ) -> int:
        """Send records to the browsers of groups or users.

        Args:
            records: Serialised records by collection. None or empty publishes nothing.
            where: ``group_id=`` or ``user_id=``, ``group_ids=`` and ``user_ids=`` for several, all
                in one round trip, or ``to_nobody=True``; see ``publisher.rooms.Where``.

        Returns:
            How many subscribers Redis passed the message to, of all rooms together; 0 if nothing
            was published.

        Raises:
            BatchIncomplete: If there are several rooms, and not all got it. Their places: groups,
                then users.
        """
        return await self._publish(records_commands(records, rooms_of(**where)))

    async def publish_models(self, models: object, **how_and_where: Unpack[HowAndWhere]) -> int:
        """Send models to the browsers of groups or users.

        Args:
            models: One model, or some of one kind: objects, or mappings.
            how_and_where: ``serializer=``, ``scope=``, ``root=`` and ``omit_empty=`` of
                ``publisher.models.How``, and the arguments of ``publish_records``. What goes to a
                group is serialised for nobody in particular, also if a user is named: Rails would
                show the group what the user sees. What goes to users is serialised for each.

        Returns:
            As ``publish_records``; 0 if there were no models.

        Raises:
            BatchIncomplete: As ``publish_records``.
        """
        return await self._publish(models_commands(models, **how_and_where))

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
        return await self._publish([notice_command(notice, version, reload=reload)])

    @contextlib.asynccontextmanager
    async def batch(self) -> AsyncIterator[Batch]:
        """Collect messages, and publish them in one round trip when the block ends, in order.

        With an error in the block nothing is published.

        Raises:
            BatchIncomplete: When the block ends, if not all could be published.
        """
        batch = Batch()
        yield batch
        await self.publish_batch(batch)

    async def publish_batch(self, batch: Batch) -> None:
        """Publish a batch that was collected elsewhere, in one round trip.

        Raises:
            BatchIncomplete: If not all could be published.
        """
        await self._link.perform(batch.steps(self._journaling))

    async def disconnect_user(self, user_id: AnyId) -> int:
        """Hang up on all clients of a user.

        They return by themselves and are looked up afresh: what is stored under their tokens then
        decides what they still may see.

        Args:
            user_id: The user.

        Returns:
            How many channel servers heard of it at once; those that are down need not hear of it.
        """
        return await self._publish([hang_up_user(user_id)])

    async def replace_groups(self, user_id: AnyId, group_ids: Iterable[AnyId]) -> int:
        """Say which groups a user is in from now on.

        All records that ``tokens.issue`` has stored for the user are rewritten, with the time they
        have left, and clients that are online join and leave rooms at once.

        Args:
            user_id: The user.
            group_ids: All groups, old and new.

        Returns:
            How many records were rewritten.
        """
        steps = replace_groups_steps(self._journaling, user_id, group_ids)
        return int(await self._link.perform(steps))

    async def _publish(self, commands: list[Command]) -> int:
        if len(commands) == 1:
            return int(await self._link.perform(self._journaling.publish(commands[0])))
        batch = Batch.of(commands)
        await self.publish_batch(batch)
        return sum(batch.heard)

    async def ping(self) -> float:
        """Ask Redis whether it is there, and lets us use our keys.

        Returns:
            After how many seconds it answered.
        """
        return float(await self._link.perform(self._journaling.ping()))

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


def _link_to(settings: Settings, client: Redis | RedisCluster | None) -> AsyncLink:
    if client is not None:
        return AsyncClientLink(client)
    url = read_url(settings.url)
    return (
        AsyncClusterLink(url, settings) if url.kind is Kind.CLUSTER else AsyncPooledLink(settings)
    )


class AsyncChatbots:
    """Lets Matrix bots write. Their access tokens are in no journal.

    Args:
        link: Shared with the publisher.
        journaling: Shared with the publisher.
    """

    def __init__(self, link: AsyncLink, journaling: Journaling) -> None:
        self._link = link
        self._journaling = journaling

    async def test(self, config: MatrixConfig, message: str = TEST_MESSAGE) -> int:
        """Let a bot say that it works. Return how many channel servers heard of it.

        Args:
            config: Where the bot writes, and as whom.
            message: What it says.
        """
        return await self._publish(trial_command(config, message))

    async def publish(self, config: MatrixConfig, html: str | None) -> int:
        """Let a bot write into its room. Return how many channel servers heard of it.

        Args:
            config: Where the bot writes, and as whom.
            html: What it writes; the plain text is made from it.
        """
        return await self._publish(html_command(config, html))

    async def _publish(self, command: Command) -> int:
        steps = self._journaling.publish(command, is_kept=False)
        return int(await self._link.perform(steps))


class AsyncTokens:
    """Channel tokens: what a browser shows to be let into its user's rooms.

    Args:
        link: Shared with the publisher.
        journaling: Shared with the publisher.
        default_ttl: Seconds for which a token is valid if ``issue`` names no time.
    """

    def __init__(self, link: AsyncLink, journaling: Journaling, default_ttl: int | None) -> None:
        self._link = link
        self._journaling = journaling
        self._default_ttl = default_ttl

    async def issue(
        self,
        user: User,
        *,
        group_ids: Iterable[AnyId],
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
        await self._link.perform(issue_steps(self._journaling, token, user, group_ids, ttl_s))
        return token

    async def revoke(self, token: str) -> bool:
        """Forget a token, and hang up on who came with it. Return whether it was known."""
        return bool(await self._link.perform(revoke_steps(self._journaling, token)))

    async def revoke_user(self, user_id: AnyId) -> int:
        """Forget all tokens that were issued to a user, and hang up.

        Args:
            user_id: The user.

        Returns:
            How many tokens were known. Those that something else has stored are not.
        """
        return int(await self._link.perform(revoke_user_steps(self._journaling, user_id)))
