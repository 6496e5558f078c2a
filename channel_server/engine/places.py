"""Where a server listens: a TCP port, or a Unix socket."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from channel_server.errors import CannotListen

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIX: Final = "unix:"
"""Begins an address that is the path of a Unix socket; ``?mode=660`` may end it."""

BACKLOG: Final = 4096
"""Connections that may wait to be accepted: all clients of a site return at once."""

_NOT_OURS: Final = "this machine has no such address"
_SPOKEN: Final = {
    errno.EADDRINUSE: "a server answers there",
    errno.ENOENT: "its folder is missing: create it",
    errno.EEXIST: "something else is there, that is no socket",
}
_MODE: Final = 0o660
_OCTAL: Final = 8


def shown_place(address: str, port: int) -> dict[str, object]:
    """Where a server listens, as fields for the log."""
    if address.startswith(UNIX):
        return {"socket": address.removeprefix(UNIX)}
    return {"port": port, **({"host": address} if address else {})}


@contextlib.contextmanager
def bound(address: str, port: int, prefix: str = "") -> Iterator[socket.socket]:
    """A socket that listens, as long as the context lasts.

    Args:
        address: IP address or name of this machine, "" for all of them, IPv4 and IPv6; or
            ``unix:/path``, with a mode other than 660 as ``unix:/path?mode=666``.
        port: TCP port; 0 takes a free one.
        prefix: Of the variables ``HOST`` and ``PORT`` that choose another place.

    Raises:
        CannotListen: If it is taken, or cannot be had.
    """
    if address.startswith(UNIX):
        with _unix(address.removeprefix(UNIX), f"{prefix}HOST") as listener:
            yield listener
    else:
        with _tcp(address, port, prefix) as listener:
            yield listener


def _tcp(address: str, port: int, prefix: str) -> socket.socket:
    if address in {"", "::"} and socket.has_dualstack_ipv6():
        # It may be there and yet switched off, as in many containers.
        with contextlib.suppress(OSError):
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG
            )
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return socket.create_server((address, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if address and error.errno not in {errno.EADDRINUSE, errno.EACCES, errno.EPERM}:
            is_elsewhere = error.errno == errno.EADDRNOTAVAIL
            words = _NOT_OURS if is_elsewhere else _words_of(error)
            raise CannotListen(address, words, f"{prefix}HOST") from error
        raise CannotListen(f"port {port}", _words_of(error), f"{prefix}PORT") from error


@contextlib.contextmanager
def _unix(place: str, setting: str) -> Iterator[socket.socket]:
    text, _, mode = place.partition("?mode=")
    path = Path(text)
    listener = socket.socket(socket.AF_UNIX)
    try:
        _make_room(path)
        before = os.umask(0o777)  # nobody connects before the mode is right
        try:
            listener.bind(text)
        finally:
            os.umask(before)
        path.chmod(int(mode, _OCTAL) if mode else _MODE)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        words = _SPOKEN.get(error.errno or 0) or _words_of(error)
        raise CannotListen(text, words, setting) from error
    ours = path.stat().st_ino
    try:
        yield listener
    finally:
        listener.close()
        with contextlib.suppress(OSError):
            if path.stat().st_ino == ours:
                path.unlink()


def _make_room(path: Path) -> None:
    """Remove a socket that a server has left behind.

    Raises:
        OSError: If somebody listens there, or it is something else.
    """
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise FileExistsError(errno.EEXIST, "")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # one with a full queue would keep us waiting
        try:
            probe.connect(str(path))
        except BlockingIOError:
            pass
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, "")


def _words_of(error: OSError) -> str:
    """What the system says; the name of a host that is unknown has no number."""
    if error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error)
