"""Does the server that runs here see the same as whoever asks?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from channel_server.config import masked
from channel_server.doctor.finding import Finding, ill, unasked, well
from channel_server.errors import CannotAsk
from channel_server.remote import Remote

if TYPE_CHECKING:
    from channel_server.admin_config import AdminSettings
    from channel_server.config import Settings

_SERVER: Final = "Server"


async def examine_running(settings: Settings, admin: AdminSettings) -> Finding:
    """Ask the running server how it is; nothing is wrong if there is none."""
    try:
        info = await Remote(admin).info()
    except CannotAsk as error:
        return unasked(_SERVER, f"not asked: {error.reason}")
    ours = masked(settings.redis_url)
    if info["redis"] != ours:
        said = f"the one that runs here uses {info['redis']}, this command {ours}"
        return ill(_SERVER, said, "give both the same REDIS_URL: that of the application")
    clients = sum(each["clients"] for each in info["connections"])
    anonymous = sum(each["clients"] for each in info["connections"] if each["kind"] == "anonymous")
    said = f"{info['status']}, {clients} clients, {anonymous} of them without a user"
    if clients and anonymous == clients:
        remedy = "no token is found: does the application write to this Redis?"
        return unasked(_SERVER, said, remedy)
    return well(_SERVER, said)
