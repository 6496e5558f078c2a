"""For tests of both publishers, the blocking one and that of asyncio."""

import inspect


async def done(result):
    """Await what the asyncio kind gives; take what the blocking kind gives."""
    return await result if inspect.isawaitable(result) else result
