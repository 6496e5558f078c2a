"""What Redis says when it refuses, and what to do about it.

The words of an error may quote a command, and so a token. Passed on are only texts that are
known to quote nothing; of all others, the code.
"""

from __future__ import annotations

import re
import ssl
from typing import Final, cast

import hiredis

_INNER_CODE: Final = re.compile(r"-?\b([A-Z]{3,16}) ")
_MOST: Final = 100

_KNOWN: Final = (
    "ERR max number of clients reached",
    "ERR DB index is out of range",
    "ERR SELECT is not allowed in cluster mode",
    "ERR invalid DB index",
    "ERR invalid password",
    "ERR Client sent AUTH, but no password is set",
    "ERR AUTH <password> called without any password configured",
    "ERR wrong number of arguments for 'auth' command",
    "CLUSTERDOWN Hash slot not served",
    "CLUSTERDOWN The cluster is down",
    "DENIED Redis is running in protected mode",
    "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN Link with MASTER is down",
    "MISCONF Redis is configured to save RDB snapshots",
    "NOAUTH Authentication required",
    "OOM command not allowed when used memory > 'maxmemory'",
    "READONLY You can't write against a read only replica",
    "WRONGPASS invalid username-password pair or user is disabled",
)
"""Beginnings of errors that quote nothing. Source: redis 5.0 to 8.2, networking.c, acl.c, db.c, cluster.c."""

REFUSED: Final = "refused by Redis: "
"""Begins a reason in Redis' own words."""
ELSEWHERE: Final = "this Redis no longer has our keys"

SENTINEL: Final = "this is a Sentinel"
NODE: Final = "this is a node of a Redis Cluster"

_URL: Final = "REDIS_URL"
_REMEDIES: Final = {
    "max number of clients": "raise its maxclients, or find out who holds so many connections: CLIENT LIST",
    "DB index": "this Redis has no such database: correct the number at the end of REDIS_URL",
    "SELECT is not allowed": "a Redis Cluster has only database 0: correct REDIS_URL",
    "MOVED": "another node of the Redis Cluster has our keys, now at least: redis+cluster:// in REDIS_URL follows them",
    "CLUSTERDOWN": "the Redis Cluster does not serve all its slots: see CLUSTER INFO",
    "NOAUTH": "it wants a password: redis://:password@host:port/0",
    "AUTH": "this Redis has no password: take it out of REDIS_URL",
    "for 'auth'": "this Redis is older than users: only a password",
    "invalid password": "correct the password in REDIS_URL",
    "DENIED": "give this Redis a password, or let it listen on an address of its own (bind)",
    "MASTERDOWN": "this is a replica that has lost its primary: name the primary in REDIS_URL",
    SENTINEL: "it only knows where Redis is: redis+sentinel://host:26379/name in REDIS_URL",
    NODE: "it has a part of the keys: redis+cluster://host:port in REDIS_URL",
    "that was named": "a fail-over ends by itself; else Sentinels must name an address that can be reached from here: SENTINEL MASTERS",
    "does not let us in": "correct the login in REDIS_URL; Sentinels have one of their own: sentinel_username, sentinel_password",
    ELSEWHERE: "it goes on with the one that has them",
    "silent": "Redis, or the way to it, stands still: is it stopped, overloaded, or behind a firewall?",
    "ConnectionRefusedError": "no Redis listens there: start it, or correct REDIS_URL",
    "BrokenPipeError": "it hangs up: does it want TLS (rediss://)?",
    "closed by Redis": "Redis has hung up: its log says why",
    "ConnectionResetError": "it hangs up: does it want TLS (rediss://)?",
    "FileNotFoundError": "there is no such socket: start Redis, or correct REDIS_URL",
    "gaierror": "the host name is unknown here: correct REDIS_URL",
    "no TLS": "no TLS there: redis:// instead of rediss://?",
    "in time": "nobody answers: is there a firewall, is the address wrong, or has it no TLS (rediss://)?",
    "ssl_": "correct this in REDIS_URL",
    "mismatch, certificate": "name the host in REDIS_URL as its certificate does, or add ssl_check_hostname=false",
    "certificate has expired": "Redis needs a new certificate",
    "SSLCertVerificationError": "name who vouches for its certificate: ?ssl_ca_certs=... in REDIS_URL, or SSL_CERT_FILE",
    "CERTIFICATE_REQUIRED": "it wants a certificate of ours: ?ssl_certfile=...&ssl_keyfile=... in REDIS_URL",
    "UNKNOWN_CA": "it does not know who vouches for ssl_certfile",
    "WRONG_VERSION_NUMBER": "no TLS there: redis:// instead of rediss://?",
    "SSLError": "docs/operations.md, Which Redis, has the options for TLS",
    "not the Redis protocol": "another program listens there, or TLS is needed: rediss://?",
    "WRONGPASS": "correct the user or the password in REDIS_URL",
    "NOPERM": "the ACL lacks something, which ACL LOG names: docs/operations.md, Which Redis, has the whole line",
    "OOM": "Redis is full: raise maxmemory, or lower JOURNAL_MIB",
    "READONLY": "this is a replica: name the primary in REDIS_URL",
    "MISCONF": "Redis cannot write its snapshot: its disk is full, or not writable",
    "LOADING": "Redis is starting: wait, and ask again",
    "WRONGTYPE": "another program uses the key {channel_server}:journal: delete it",
    "Sentinels asked": "correct the hosts or the name of the primary in REDIS_URL, or look at it: SENTINEL MASTERS",
    "answers something else": "that is none: correct the hosts or the scheme in REDIS_URL",
    "refused: ERR": "that is none: correct the hosts or the scheme in REDIS_URL",
    "nodes of the cluster asked": "correct the hosts in REDIS_URL, or look at it: CLUSTER NODES",
    "ERR": "this server may be too old, or no Redis: docs/operations.md, Which Redis",
}
"""By what a reason contains; the first one counts."""
_ELSE: Final = "docs/operations.md, Which Redis, says what the server needs"


def words_of(error: BaseException) -> str:
    """What the system or TLS says, as far as it quotes nothing: its words name hosts at most."""
    name = type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{name}: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"SSLError: {error.reason}" if error.reason else "SSLError"
    return name


def is_refusal(reply: object) -> bool:
    """Tell whether a reply is an error."""
    return isinstance(reply, cast("type", hiredis.ReplyError))


def is_unknown_command(reply: object) -> bool:
    """Tell whether an error says that there is no such command, or that it was renamed away."""
    return str(reply).startswith("ERR unknown command")


def code_of(reply: object) -> str:
    """The code of an error of Redis, such as ``OOM``: it quotes nothing.

    Before Redis 7 a script's error stands behind ``ERR Error running script``.
    """
    first, _, rest = str(reply).partition(" ")
    inner = _INNER_CODE.search(rest) if first == "ERR" else None
    return inner[1] if inner else first[:_MOST]


def refusal_of(reply: object) -> str:
    """Say why Redis refused, in its own words if they quote nothing."""
    said = str(reply)
    words = next((known for known in _KNOWN if said.startswith(known)), code_of(reply))
    return f"{REFUSED}{words}"


def remedy_for(reason: str, variable: str = _URL) -> str:
    """What to do about a reason or code, such as ``refused by Redis: NOAUTH``.

    Args:
        reason: The reason.
        variable: Which one names this Redis.
    """
    found = (remedy for part, remedy in _REMEDIES.items() if part in reason)
    return next(found, _ELSE).replace(_URL, variable)
