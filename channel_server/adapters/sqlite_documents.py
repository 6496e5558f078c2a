"""Documents in an SQLite file, or in a database that ends with the process."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from channel_server.core.documents import Kept
from channel_server.errors import StoreFailed

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

_BUSY_S: Final = 10.0
"""How long a new process waits for the old one to let go of the file."""

# The table of @hocuspocus/extension-sqlite, and when a document was kept.
_CREATE: Final = """
create table if not exists documents (
  name varchar(255) not null, data blob not null, unique(name)
)"""
_ADD_TIME: Final = "alter table documents add column stored_at integer not null default 0"
_LOAD: Final = "select data from documents where name = ?"
_SAVE: Final = """
insert into documents (name, data, stored_at) values (?, ?, unixepoch())
on conflict (name) do update set data = excluded.data, stored_at = excluded.stored_at"""
_TOUCH: Final = "update documents set stored_at = unixepoch() where stored_at = 0"
_FORGET: Final = "delete from documents where stored_at < unixepoch() - ?"


class SqliteDocuments:
    """One connection, used by one thread, so that a slow disk stops nobody.

    Args:
        path: Of the file; "" for a temporary one without a name, as in the Node program.
        is_durable: What was saved survives the loss of power, too.
    """

    may_forget = False

    def __init__(self, path: str, *, is_durable: bool = False) -> None:
        self._path = path
        self._is_durable = is_durable
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="documents")
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file, for this process alone; two that write would overwrite each other.

        Raises:
            StoreFailed: If that is not possible.
        """
        await self._run(self._open)

    def _open(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=_BUSY_S)
        try:
            if self._path:
                connection.execute("pragma locking_mode = exclusive")
                connection.execute("pragma journal_mode = wal")
                level = "full" if self._is_durable else "normal"
                connection.execute(f"pragma synchronous = {level}")
            connection.execute(_CREATE)
            columns = connection.execute("pragma table_info(documents)").fetchall()
            if "stored_at" not in {column[1] for column in columns}:
                connection.execute(_ADD_TIME)
            connection.execute(_TOUCH)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    async def load(self, name: str) -> Kept:
        """Read a document.

        Raises:
            StoreFailed: If it cannot be read.
        """
        rows = await self._run(partial(self._execute, _LOAD, name))
        if rows and not isinstance(rows[0][0], bytes):
            raise StoreFailed("a row is no blob")
        return Kept(rows[0][0] if rows else None)

    async def save(self, name: str, data: bytes, version: bytes) -> bytes | None:  # noqa: ARG002
        """Keep a document; nobody else writes here, so there is one version of it.

        Raises:
            StoreFailed: If it cannot be written.
        """
        await self._run(partial(self._execute, _SAVE, name, data))
        return b""

    async def has(self, name: str, version: bytes) -> bool:  # noqa: ARG002
        """Yes: a file keeps what was written."""
        return True

    async def forget(self, older_than_s: float) -> None:
        """Drop documents that nobody has changed for so long.

        Raises:
            StoreFailed: If that is not possible.
        """
        await self._run(partial(self._execute, _FORGET, int(older_than_s)))

    async def close(self) -> None:
        """Finish what was begun, and let go of the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._run(connection.close)
        self._thread.shutdown(wait=False)

    def _execute(self, statement: str, *arguments: str | bytes | int) -> list[tuple[bytes]]:
        if self._connection is None:
            raise StoreFailed("it is closed")
        return self._connection.execute(statement, arguments).fetchall()

    async def _run(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            # Its words name tables and files, never what is in them.
            raise StoreFailed(str(error)) from None
