"""What Redis refuses, read from its reply, and what to do about it.

Redis' own text is not kept: it may quote the command
(``unknown command 'PUBLISH', with args beginning with: ...``), and with it the payload.
"""

from __future__ import annotations

import re
from typing import Final

from redis import exceptions

from publisher.errors import RedisRefused

CHANNELS: Final = (
    "ACL SETUSER <user> +publish &/records &/system_notice &/channel_control &chatbot/*"
)
"""What a user of Redis needs to publish."""

_KEYS: Final = "ACL SETUSER <user> ~/current_users/* ~{channel_server}:*"
_LOGIN: Final = "check the user name and the password in the Redis URL"
_ADVICE: Final = {
    "BUSY": "a script keeps Redis busy; try again later",
    "CLUSTERDOWN": "the Redis Cluster lacks nodes; see CLUSTER INFO",
    "CROSSSLOT": "this is a Redis Cluster; its URL must begin with redis+cluster://",
    "DB": "there is no database of this number; mend the number at the end of the Redis URL",
    "LOADING": "Redis is loading its data; try again later",
    "MASTERDOWN": "this replica has lost its primary; point the Redis URL at the primary",
    "MAXCLIENTS": "Redis has as many clients as it takes; raise its maxclients, or lower REDIS_POOL_SIZE",
    "MISCONF": "Redis cannot save to disk; its log says why",
    "MOVED": "this is a Redis Cluster; its URL must begin with redis+cluster://",
    "NOAUTH": _LOGIN,
    "NOREPLICAS": "Redis has too few replicas to accept writes",
    "OOM": "Redis has no memory left; raise its maxmemory or free some",
    "READONLY": "this Redis is a replica; point the Redis URL at the primary",
    "WRONGPASS": _LOGIN,
    "WRONGTYPE": (
        "something else stands under a key of ours ({channel_server}:... or /current_users/...); "
        "delete it"
    ),
}
_RIGHTS: Final = {
    "channels": f"let this user of Redis publish: {CHANNELS}",
    "commands": (
        "let this user of Redis use scripts, and the commands in them: docs/operations.md has the "
        "line for applications"
    ),
    "keys": f"let this user of Redis use our keys: {_KEYS}",
}
_ADVICE_OTHERWISE: Final = "try it with redis-cli, which shows Redis' own text"

_CODE: Final = re.compile(r"[A-Z]{2,32}(?![^ ])")
# Redis 7 names the script behind the error of a command in it; before, it stands in front.
_IN_SCRIPT: Final = re.compile(
    r"Error running script|script: [0-9a-f]{40}|executing the script|in script|from script"
)
# A Redis that takes no writes refuses the first of a script; after one that it took, it takes all.
_AT_THE_FIRST_WRITE: Final = frozenset({"MISCONF", "NOREPLICAS", "OOM", "READONLY"})
_INNER_CODE: Final = re.compile(r"\b([A-Z]{3,16}) ")
_NO_RIGHT: Final = re.compile(
    r"(?:executing the script can't|ACL failure in script|has no permissions|No permissions)"
)
_RIGHT_OF: Final = (("channel", "channels"), ("key", "keys"))
_SPECIAL: Final = (
    ("unknown command", "UNKNOWN"),
    ("Unknown Redis command called from", "UNKNOWN"),
    ("max number of clients", "MAXCLIENTS"),
    ("DB index", "DB"),
)
# redis-py 5 has no status_code, and cuts the code off the text of the classes that it knows.
_CLASSES: Final = (
    (exceptions.AuthenticationError, "WRONGPASS"),
    (exceptions.NoPermissionError, "NOPERM"),
    (exceptions.OutOfMemoryError, "OOM"),
    (exceptions.NoScriptError, "NOSCRIPT"),
    (exceptions.ReadOnlyError, "READONLY"),
    (exceptions.BusyLoadingError, "LOADING"),
    (exceptions.MovedError, "MOVED"),
    (exceptions.ClusterCrossSlotError, "CROSSSLOT"),
    (exceptions.ClusterDownError, "CLUSTERDOWN"),
    (exceptions.MasterDownError, "MASTERDOWN"),
)


def refusal_of(error: BaseException | None) -> RedisRefused | None:
    """Read an error reply. None if this is no reply, but trouble on the way to one."""
    if not isinstance(error, exceptions.RedisError):
        return None
    text = str(error)
    code = _code(error, text)
    if code is None:
        # The asyncio Unix connection wraps the reply to AUTH or SELECT in a ConnectionError.
        return refusal_of(error.__cause__)
    return _refusal(code, text)


def refusal_in_script(text: str) -> RedisRefused:
    """Read the error of a command for which a script has gone on."""
    match = _INNER_CODE.search(text)
    return _refusal(match[1] if match else "ERR", text)


def _refusal(code: str, text: str) -> RedisRefused:
    missing = ""
    if code == "NOPERM" or _NO_RIGHT.search(text):
        code = "NOPERM"
        missing = next((right for word, right in _RIGHT_OF if word in text), "commands")
    advice = _RIGHTS[missing] if missing else _ADVICE.get(code, _ADVICE_OTHERWISE)
    is_in_script = bool(_IN_SCRIPT.search(text)) and code not in _AT_THE_FIRST_WRITE
    prevents_scripts = code == "UNKNOWN" or missing in {"commands", "keys"}
    return RedisRefused(
        code,
        advice,
        missing=missing,
        prevents_scripts=prevents_scripts and not is_in_script,
        is_in_script=is_in_script,
    )


def _code(error: exceptions.RedisError, text: str) -> str | None:
    """First word of a reply, or what stands for it."""
    code: str | None = getattr(error, "status_code", None)
    if code is None or isinstance(error, exceptions.AuthenticationError):
        known = next((name for kind, name in _CLASSES if isinstance(error, kind)), None)
        code = known if code in {None, "ERR"} else code
    if code is None and isinstance(error, exceptions.ResponseError):
        match = _CODE.match(text)
        code = match[0] if match else "ERR"
    if code != "ERR":
        return code
    if text.startswith("Error running script") and (inner := _INNER_CODE.search(text)):
        return inner[1]
    return next((name for words, name in _SPECIAL if words in text), code)
