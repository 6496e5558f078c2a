"""Documents in an SQLite file."""

import sqlite3

import pytest
import pytest_asyncio

from channel_server.adapters import sqlite_documents
from channel_server.adapters.sqlite_documents import SqliteDocuments
from channel_server.core.documents import Kept
from channel_server.errors import StoreFailed

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def documents(tmp_path):
    documents = SqliteDocuments(str(tmp_path / "documents.sqlite3"))
    await documents.open()
    yield documents
    await documents.close()


async def test_document_that_was_never_kept_is_none(documents):
    assert await documents.load("d") == Kept(None)


async def test_document_is_what_was_kept_last(documents):
    await documents.save("d", b"one", b"")
    await documents.save("d", b"\0two", b"")

    assert await documents.load("d") == Kept(b"\0two")
    assert await documents.load("D") == Kept(None)


async def test_file_keeps_documents(tmp_path):
    path = str(tmp_path / "documents.sqlite3")
    for name in ("one", "two"):
        documents = SqliteDocuments(path, is_durable=name == "two")
        await documents.open()
        await documents.save(name, name.encode(), b"")
        await documents.close()

    again = SqliteDocuments(path)
    await again.open()
    assert [(await again.load(name)).data for name in ("one", "two")] == [b"one", b"two"]
    await again.close()


async def test_nameless_database_ends_with_the_process():
    for _ in range(2):
        documents = SqliteDocuments("")
        await documents.open()
        assert await documents.load("d") == Kept(None)
        await documents.save("d", b"data", b"")
        await documents.close()


async def test_file_of_the_node_program_can_be_taken_over(tmp_path):
    path = tmp_path / "hocuspocus.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "create table documents (name varchar(255) not null, data blob not null, unique(name))"
        )
        connection.execute("insert into documents values ('d', x'0000')")
    connection.close()

    documents = SqliteDocuments(str(path))
    await documents.open()
    await documents.forget(60)
    assert await documents.load("d") == Kept(b"\0\0")
    await documents.save("d", b"new", b"")
    assert await documents.load("d") == Kept(b"new")
    await documents.close()


async def test_old_documents_are_forgotten(documents):
    await documents.save("old", b"old", b"")
    await documents.save("new", b"new", b"")
    await documents._run(
        lambda: (
            documents._execute("update documents set stored_at = 1 where name = 'old'") and None
        )
    )

    await documents.forget(60)

    assert await documents.load("old") == Kept(None)
    assert await documents.load("new") == Kept(b"new")


@pytest.mark.usefixtures("documents")
async def test_file_belongs_to_one_process(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_documents, "_BUSY_S", 0.1)
    second = SqliteDocuments(str(tmp_path / "documents.sqlite3"))

    with pytest.raises(StoreFailed, match="database is locked"):
        await second.open()
    await second.close()


@pytest.mark.parametrize(
    ("path", "reason"),
    [("missing/documents.sqlite3", "unable to open"), ("text", "not a database")],
)
async def test_file_that_is_none_is_told(tmp_path, path, reason):
    (tmp_path / "text").write_text("This is no database. " * 100)
    documents = SqliteDocuments(str(tmp_path / path))

    with pytest.raises(StoreFailed, match=reason):
        await documents.open()
    await documents.close()


async def test_store_that_is_closed_fails(documents):
    await documents.close()
    documents._thread = sqlite_documents.ThreadPoolExecutor(1)

    with pytest.raises(StoreFailed, match="closed"):
        await documents.load("d")
    documents._thread.shutdown()
