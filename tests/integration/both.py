"""For tests of both publishers, the blocking one and that of asyncio."""

import inspect

from publisher import Publisher


def pool_of(publisher):
    """redis-py's pool of a publisher; of one of asyncio, for the loop that runs."""
    link = publisher._link
    return link._pool if isinstance(publisher, Publisher) else link._connections()


async def done(result):
    """Await what the asyncio kind gives; take what the blocking kind gives."""
    return await result if inspect.isawaitable(result) else result
