"""The same job written with python-socketio the way its documentation shows.

aiohttp below, uvloop as event loop, orjson for JSON, redis-py for Redis. It reads ``PORT``,
``REDIS_URL`` and ``PUBLIC_APP_URL``; ``GET /ready`` answers 200.
"""

import os
from urllib.parse import parse_qs

import orjson
import redis.asyncio
import socketio
import uvloop
from aiohttp import web


class OrjsonForSocketio:
    """orjson with the signature that python-socketio calls."""

    loads = staticmethod(orjson.loads)

    @staticmethod
    def dumps(value, **_separators):
        return orjson.dumps(value).decode()


async def relay(sio, pubsub):
    """Emit what Redis publishes, for ever."""
    async for message in pubsub.listen():
        if message["type"] != "message":
            continue
        data = orjson.loads(message["data"])
        if message["channel"] == b"/system_notice":
            await sio.emit("notice", data)
        elif data["room"]:
            await sio.emit("records", data, room=data["room"])


async def serve():
    """Answer on ``PORT`` until the process is terminated."""
    store = redis.asyncio.from_url(os.environ["REDIS_URL"])
    sio = socketio.AsyncServer(
        async_mode="aiohttp",
        json=OrjsonForSocketio,
        cors_allowed_origins=[os.environ["PUBLIC_APP_URL"]],
    )

    @sio.event
    async def connect(sid, environ):
        await sio.enter_room(sid, "notice")
        token = parse_qs(environ["QUERY_STRING"])["channel_token"][0]
        text = await store.get(f"/current_users/{token}")
        if text is None:
            return
        user = orjson.loads(text)
        await sio.enter_room(sid, f"user-{user['id']}")
        for group_id in user["group_ids"]:
            await sio.enter_room(sid, f"group-{group_id}")

    async def ready(_request):
        return web.Response()

    app = web.Application()
    sio.attach(app)
    app.router.add_get("/ready", ready)
    async with store.pubsub() as pubsub:
        await pubsub.subscribe("/records", "/system_notice")
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(os.environ["PORT"])).start()
        await relay(sio, pubsub)


if __name__ == "__main__":
    uvloop.run(serve())
