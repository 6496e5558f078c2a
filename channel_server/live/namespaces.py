"""Who is connected to which namespace: the part of python-socketio's manager that we use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from socketio import AsyncManager

if TYPE_CHECKING:
    from collections.abc import Iterator


class Namespaces(AsyncManager):  # type: ignore[misc]
    """Socket ids per namespace, found in both directions in O(1).

    The stock manager keeps every client in two rooms, searches lists of pending ones and walks
    all rooms for every disconnect (1.3 ms each with 4,000 clients). Here a client is connected
    or it is not, and rooms are ``core.rooms``.

    Invariant: ``_sids[ns][eio_sid] == sid`` exactly when ``_eio_sids[ns][sid] == eio_sid``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sids: dict[str, dict[str, str]] = {}
        self._eio_sids: dict[str, dict[str, str]] = {}
        self.rooms = self._eio_sids  # AsyncManager.emit only asks whether it has the namespace

    def add(self, eio_sid: str, namespace: str) -> str:
        """Connect a client to a namespace. Return its new socket id."""
        sid: str = self.server.eio.generate_id()
        self._sids.setdefault(namespace, {})[eio_sid] = sid
        self._eio_sids.setdefault(namespace, {})[sid] = eio_sid
        return sid

    def get_namespaces(self) -> list[str]:
        """Namespaces that have had a client."""
        return list(self._sids)

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        """Tell whether a socket id is connected."""
        return sid in self._eio_sids.get(namespace, ())

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """Socket id of a session, None if it is not connected to the namespace."""
        return self._sids.get(namespace, {}).get(eio_sid)

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        """Session of a socket id, None if it is not connected."""
        return self._eio_sids.get(namespace, {}).get(sid)

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        """Nothing is pending here: ``basic_disconnect`` does it all."""
        return self.eio_sid_from_sid(sid, namespace)

    def basic_disconnect(self, sid: str, namespace: str, **_: object) -> None:
        """Forget a client of a namespace."""
        eio_sid = self._eio_sids.get(namespace, {}).pop(sid, None)
        if eio_sid is not None:
            del self._sids[namespace][eio_sid]
        self.callbacks.pop(sid, None)

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """Sockets that ``emit`` addresses: one, or (for None) all of the namespace."""
        eio_sids = self._eio_sids.get(namespace, {})
        if room is None:
            yield from list(eio_sids.items())
        elif room in eio_sids:
            yield room, eio_sids[room]

    def basic_enter_room(self, *_: object, **__: object) -> NoReturn:
        """Not here."""
        raise TypeError("rooms are kept by channel_server.core.rooms, not by python-socketio")

    basic_leave_room = basic_close_room = get_rooms = basic_enter_room
