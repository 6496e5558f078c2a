"""Models of Django and of SQLAlchemy, on a real SQLite: what is loaded, and when it is published."""

import contextlib
import gc
import subprocess
import sys
import warnings

import pytest
import sqlalchemy as sa
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, create_async_engine

from publisher import BatchIncomplete, InvalidMessage, Publisher, loomio
from publisher.django import batch_on_commit
from publisher.serializers import (
    Attributes,
    HasMany,
    HasOne,
    Loaders,
    Serializer,
    serialize_models,
)
from publisher.sqlalchemy import batch_after_commit
from publisher.sqlalchemy_transactions import only_reads
from publisher.testing import AsyncRecordingPublisher, RecordingPublisher
from publisher.values import as_json
from tests.integration import django_setup  # noqa: F401 - configures it

RECORDS = {"a": []}


class DjangoVoter(models.Model):  # noqa: DJ008 - nobody reads it
    name = models.TextField()

    class Meta:
        app_label = "tests"


class DjangoBallot(models.Model):  # noqa: DJ008 - nobody reads it
    voter = models.ForeignKey(DjangoVoter, models.CASCADE)

    class Meta:
        app_label = "tests"


class DjangoChoice(models.Model):  # noqa: DJ008 - nobody reads it
    ballot = models.ForeignKey(DjangoBallot, models.CASCADE, related_name="choices")

    class Meta:
        app_label = "tests"


class Base(orm.DeclarativeBase):
    pass


class Voter(Base):
    __tablename__ = "voters"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]


class Ballot(Base):
    __tablename__ = "ballots"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    voter_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("voters.id"))
    voter: orm.Mapped[Voter] = orm.relationship()
    choices: orm.Mapped[list["Choice"]] = orm.relationship()


class Choice(Base):
    __tablename__ = "choices"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    ballot_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("ballots.id"))


class VoterSerializer(Serializer):
    attributes = Attributes("id", "name")


class ChoiceSerializer(Serializer):
    attributes = Attributes("id", "ballot_id")


class BallotSerializer(Serializer):
    root = "ballots"
    attributes = Attributes("id")
    voter = HasOne(serializer=VoterSerializer)
    choices = HasMany(serializer=ChoiceSerializer)


@pytest.fixture(scope="module")
def tables():
    tables = (DjangoVoter, DjangoBallot, DjangoChoice)
    with connection.schema_editor() as editor:
        for table in tables:
            editor.create_model(table)
    yield
    connection.close()


@pytest.fixture
def engine():
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)

    @sa.event.listens_for(engine, "connect")
    def begin_is_ours(dbapi, _):
        dbapi.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def begin(connection):
        connection.exec_driver_sql("BEGIN")

    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine):
    with orm.Session(engine) as session:
        yield session


@pytest.fixture
def publisher():
    return RecordingPublisher()


@pytest.mark.usefixtures("tables")
def test_fifty_models_of_django_cost_as_many_queries_as_one():
    voters = DjangoVoter.objects.bulk_create([DjangoVoter(name=f"v{n}") for n in range(5)])
    ballots = DjangoBallot.objects.bulk_create(
        [DjangoBallot(voter=voters[n % 5]) for n in range(50)]
    )
    DjangoChoice.objects.bulk_create([DjangoChoice(ballot=each) for each in ballots * 2])
    loaders = Loaders()
    loaders.has_one("DjangoBallot", "voter", key="voter_id", load=DjangoVoter.objects.in_bulk)
    loaders.has_many(
        "DjangoBallot",
        "choices",
        key="ballot_id",
        load=lambda ids: DjangoChoice.objects.filter(ballot_id__in=ids).order_by("id"),
    )
    costs = []
    for count in (1, 50):
        some = list(DjangoBallot.objects.order_by("id")[:count])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            records = serialize_models(some, serializer=BallotSerializer, loaders=loaders)
        costs.append(len(queries))

    assert costs == [2, 2]
    assert len(records["voters"]) == 5
    assert [len(record["choice_ids"]) for record in records["ballots"]] == [2] * 50


@pytest.mark.usefixtures("tables")
def test_a_relation_of_django_is_read_where_nothing_loads_it():
    ballot = DjangoBallot.objects.create(voter=DjangoVoter.objects.create(name="Ann"))
    choice = DjangoChoice.objects.create(ballot=ballot)

    records = serialize_models(ballot, serializer=BallotSerializer, loaders=Loaders())

    assert records["choices"] == [{"id": choice.id, "ballot_id": ballot.id}]
    assert records["voters"][0]["name"] == "Ann"


def test_fifty_models_of_sqlalchemy_cost_as_many_queries_as_one(engine, session):
    session.add_all(
        Ballot(voter=Voter(name=f"v{number}"), choices=[Choice(), Choice()])
        for number in range(50)
    )
    session.commit()
    loaders = Loaders()
    loaders.has_one(
        "Ballot",
        "voter",
        key="voter_id",
        load=lambda ids: {
            each.id: each for each in session.scalars(sa.select(Voter).where(Voter.id.in_(ids)))
        },
    )
    loaders.has_many(
        "Ballot",
        "choices",
        key="ballot_id",
        load=lambda ids: session.scalars(sa.select(Choice).where(Choice.ballot_id.in_(ids))),
    )
    statements = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    costs = []
    for count in (1, 50):
        session.expunge_all()
        some = session.scalars(sa.select(Ballot).limit(count)).all()
        statements.clear()
        records = serialize_models(some, serializer=BallotSerializer, loaders=loaders)
        costs.append(len(statements))

    assert costs == [2, 2]
    assert len(records["choices"]) == 100


@pytest.mark.usefixtures("tables")
def test_django_publishes_after_the_commit_and_not_after_a_rollback(publisher):
    with transaction.atomic():
        with batch_on_commit(publisher) as batch:
            batch.publish_records(RECORDS, user_id=1)
        assert publisher.published == []
    assert publisher.records("user-1") == [RECORDS]

    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 - the block
        with batch_on_commit(publisher) as batch:
            batch.publish_records(RECORDS, user_id=2)
        raise ZeroDivisionError
    assert publisher.records("user-2") == []

    with batch_on_commit(publisher) as batch:
        batch.publish_records(RECORDS, user_id=3)
    assert publisher.records("user-3") == [RECORDS]


@pytest.mark.usefixtures("tables")
def test_a_message_belongs_to_its_savepoint_in_django(publisher):
    """Found by trying: what was stored was [1], and what was published [1, 2]."""
    with transaction.atomic(), batch_on_commit(publisher) as batch:
        batch.publish_records(RECORDS, user_id=1)
        with contextlib.suppress(ZeroDivisionError), transaction.atomic():
            batch.publish_records(RECORDS, user_id=2)
            raise ZeroDivisionError
        with transaction.atomic():
            batch.publish_records(RECORDS, user_id=3)
        assert publisher.published == []

    assert rooms(publisher) == ["user-1", "user-3"]


@pytest.mark.usefixtures("tables")
def test_a_transaction_inside_the_block_is_waited_for_in_django(publisher):
    with batch_on_commit(publisher) as batch:
        with contextlib.suppress(ZeroDivisionError), transaction.atomic():
            batch.publish_records(RECORDS, user_id=1)
            raise ZeroDivisionError
        with transaction.atomic():
            batch.publish_records(RECORDS, user_id=2)
        batch.publish_records(RECORDS, user_id=3)

    assert rooms(publisher) == ["user-2", "user-3"]


class Paper(models.Model):  # noqa: DJ008 - nobody reads it
    file = models.FileField()

    class Meta:
        app_label = "papers"


def test_a_file_of_django_is_its_url_or_null():
    """The content of the file was published, or the library's error came through."""
    with override_settings(MEDIA_URL="/media/"):
        assert as_json({"file": Paper(file="minutes.pdf").file}, "x") == {
            "file": "/media/minutes.pdf"
        }
    assert as_json({"file": Paper().file}, "x") == {"file": None}


class Unreachable(FileSystemStorage):
    """As one in a cloud that is asked for a signed URL."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def url(self, name):
        raise self.error(name)


class OfTheCloud(Exception):
    """As those of a library that knows no OSError."""


@pytest.mark.parametrize("error", [ConnectionRefusedError, SuspiciousFileOperation, OfTheCloud])
def test_a_file_whose_storage_does_not_answer_is_named(error):
    paper = Paper(file="minutes.pdf")
    paper.file.storage = Unreachable(error)

    with pytest.raises(InvalidMessage, match="is a file without a URL"):
        as_json({"file": paper.file}, "x")


@pytest.mark.usefixtures("tables")
def test_a_query_of_either_library_is_an_array(session):
    session.add(Voter(name="Ann"))
    session.flush()
    values = {
        "django": DjangoVoter.objects.filter(name="Bo").values_list("name", flat=True),
        "sqlalchemy": session.scalars(sa.select(Voter.name)),
    }
    DjangoVoter.objects.create(name="Bo")

    assert as_json(values, "x") == {"django": ["Bo"], "sqlalchemy": ["Ann"]}


def collect(publisher, session, user_id):
    with batch_after_commit(publisher, session) as batch:
        batch.publish_records(RECORDS, user_id=user_id)


def rooms(publisher):
    return [each.message["room"] for each in publisher.published]


def test_sqlalchemy_publishes_after_the_commit_and_not_after_a_rollback(
    publisher, session, caplog
):
    session.add(Voter(name="Ann"))
    collect(publisher, session, 1)
    assert rooms(publisher) == []
    session.commit()
    assert rooms(publisher) == ["user-1"]

    session.add(Voter(name="Bo"))
    collect(publisher, session, 2)
    session.rollback()
    session.commit()
    collect(publisher, session, 3)

    assert rooms(publisher) == ["user-1", "user-3"]
    assert "1 messages are dropped: their transaction was rolled back" in caplog.text


class VoterSerializer(Serializer[Voter], model=Voter):
    attributes = Attributes("id", "name")


def commit_in_the_block(publisher, session, ann):
    with batch_after_commit(publisher, session) as batch:
        session.add(ann)
        session.flush()
        batch.publish_models([ann], user_id=1)
        session.commit()
        assert rooms(publisher) == ["user-1"]


def transaction_in_the_block(publisher, session, ann):
    with batch_after_commit(publisher, session) as batch, session.begin():
        session.add(ann)
        session.flush()
        batch.publish_models([ann], user_id=1)


def commit_before_the_block(publisher, session, ann):
    """What is read to be published begins a transaction, which nobody commits."""
    session.add(ann)
    session.commit()
    with batch_after_commit(publisher, session) as batch:
        batch.publish_models([ann], user_id=1)
        batch.publish_models([ann], user_id=2)
    assert rooms(publisher) == ["user-1", "user-2"]


def written_after_it_was_read(publisher, session, ann):
    """The transaction that reading has begun is committed, after all."""
    session.add(ann)
    session.commit()
    with batch_after_commit(publisher, session) as batch:
        batch.publish_models([ann], user_id=1)
        session.execute(sa.update(Voter).values(name="Bo"))
        batch.publish_models([ann], user_id=2)
    assert rooms(publisher) == []
    session.commit()


def read_as_an_argument(publisher, session, ann):
    """The model is expired: to read its id begins a transaction before anything is published."""
    session.add(ann)
    session.commit()
    with batch_after_commit(publisher, session) as batch:
        batch.publish_records({"voters": [{"id": ann.id, "name": ann.name}]}, user_id=ann.id)
    assert rooms(publisher) == ["user-1"]


def read_before_the_block(publisher, session, ann):
    session.add(ann)
    session.commit()
    assert ann.id == 1
    with batch_after_commit(publisher, session) as batch:
        batch.publish_models([ann], user_id=1)
    assert rooms(publisher) == ["user-1"]


def block_in_a_transaction(publisher, session, ann):
    with session.begin():
        session.add(ann)
        session.flush()
        with batch_after_commit(publisher, session) as batch:
            batch.publish_models([ann], user_id=1)
        assert rooms(publisher) == []


def session_closed_in_the_block(publisher, session, ann):
    session.add(ann)
    session.commit()
    with batch_after_commit(publisher, session) as batch, session:
        batch.publish_models([ann], user_id=1)
    assert rooms(publisher) == ["user-1"]


def nothing_modified(publisher, session, ann):
    session.add(ann)
    session.commit()
    ann.name = ann.name
    with batch_after_commit(publisher, session) as batch:
        batch.publish_models([ann], user_id=1)
    assert rooms(publisher) == ["user-1"]


def read_in_other_words(publisher, session, ann):
    """A CTE, and a comment before it; within what is read, a savepoint that has ended."""
    session.add(ann)
    session.commit()
    session.scalars(sa.select(sa.select(Voter.id).cte())).all()
    session.scalars(sa.text("/* app */ -- why\n SELECT 1")).all()
    with session.begin_nested():
        session.scalars(sa.select(Voter.id)).all()
    with batch_after_commit(publisher, session) as batch:
        batch.publish_models([ann], user_id=1)
    assert rooms(publisher) == ["user-1"]


ORDERS = [
    session_closed_in_the_block,
    nothing_modified,
    read_in_other_words,
    commit_in_the_block,
    transaction_in_the_block,
    commit_before_the_block,
    written_after_it_was_read,
    read_as_an_argument,
    read_before_the_block,
    block_in_a_transaction,
]


@pytest.mark.parametrize("order", ORDERS)
def test_every_natural_order_publishes(publisher, session, order):
    """Found by a user: in three of them the message was lost without a word."""
    order(publisher, session, Voter(name="Ann"))

    assert rooms(publisher)[0] == "user-1"
    assert len(rooms(publisher)) in {1, 2}
    session.rollback()
    assert session.scalars(sa.select(Voter)).one()


WRITTEN = {
    "pending": lambda session: session.add(Voter(name="Bo")),
    "modified": lambda session: setattr(session.scalars(sa.select(Voter)).one(), "name", "Bo"),
    "deleted": lambda session: session.delete(session.scalars(sa.select(Voter)).one()),
    "in a savepoint": lambda session: (session.begin_nested(), session.flush()),
    "flushed": lambda session: (session.add(Voter(name="Bo")), session.flush()),
    "in SQL": lambda session: session.execute(sa.text("UPDATE voters SET name = 'Bo'")),
    "by hand": lambda session: session.connection().execute(sa.update(Voter).values(name="Bo")),
}


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("is_before", [True, False], ids=["before", "in the block"])
def test_nothing_goes_before_what_was_written_is_committed(publisher, session, write, is_before):
    session.add(Voter(name="Ann"))
    session.commit()
    ann = session.scalars(sa.select(Voter)).one()
    if is_before:
        write(session)
    with batch_after_commit(publisher, session) as batch:
        batch.publish_models([ann], user_id=1)
        if not is_before:
            write(session)
    assert rooms(publisher) == []

    session.commit()

    assert rooms(publisher) == ["user-1"]


def test_nothing_goes_before_the_commit_of_who_shares_the_connection(publisher, engine):
    """As fixtures of tests do: the session that began last had the connection to itself."""
    with (
        engine.connect() as shared,
        orm.Session(shared) as one,
        orm.Session(shared) as two,
    ):
        one.execute(sa.select(Voter))
        two.execute(sa.select(Voter))
        one.execute(sa.insert(Voter).values(name="Ann"))
        with batch_after_commit(publisher, one) as batch:
            batch.publish_records(RECORDS, user_id=1)
        one.rollback()

    assert rooms(publisher) == []


LATE = """
import sqlalchemy as sa
from sqlalchemy import orm

session = orm.Session(sa.create_engine("sqlite://"))
session.execute(sa.text("CREATE TABLE t (n)"))
from publisher.sqlalchemy import batch_after_commit
from publisher.testing import RecordingPublisher

publisher = RecordingPublisher()
with batch_after_commit(publisher, session) as batch:
    batch.publish_records({"a": []}, user_id=1)
print(len(publisher.published))
session.commit()
print(len(publisher.published))
session.close()
"""


def test_what_was_written_before_the_import_is_waited_for():
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["0", "1"]


@pytest.mark.parametrize(
    ("statement", "reads"),
    [
        ("SELECT 1", True),
        ("WITH a AS (SELECT 1) SELECT * FROM a", True),
        ("(SELECT 1) UNION (SELECT 2)", True),
        ("SET LOCAL search_path TO a", True),
        ("WITH a AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT * FROM a", False),
        ("SELECT 1 INTO TEMP t1", False),
        ("SELECT * FROM t FOR UPDATE", False),
        ("SELECT deleted_at, inserted FROM t", True),
        ("/* INSERT */ CREATE TABLE t (n)", False),
        ("CALL f()", False),
        ("", False),
    ],
)
def test_what_a_statement_does_is_read(statement, reads):
    assert only_reads(statement) is reads


@pytest.fixture
def without_scripts(new_redis_server):
    """Publishes plainly: what nobody hears is lost."""
    server = new_redis_server()
    with server.client() as redis:
        redis.execute_command("ACL SETUSER app on >pw ~* &* +@all -@scripting")
    with Publisher.from_url(server.url.replace("unix://", "unix://app:pw@")) as publisher:
        yield publisher


def test_places_of_what_was_not_sent_are_those_of_the_batch(without_scripts, session):
    """They were those of what was left after a savepoint: `only` repeated what was rolled back."""
    with batch_after_commit(without_scripts, session, robust=False) as batch:
        session.add(Voter(name="Ann"))
        session.flush()
        with contextlib.suppress(ZeroDivisionError), session.begin_nested():
            batch.publish_records({"rolled": ["back"]}, group_id=1)
            raise ZeroDivisionError
        batch.publish_records({"st": ["ored"]}, group_id=1)
    with pytest.raises(BatchIncomplete) as caught:
        session.commit()

    assert (caught.value.sent, caught.value.unsent) == ((), (1,))


@pytest.mark.usefixtures("tables")
def test_places_of_what_was_not_sent_are_those_of_the_batch_in_django(without_scripts):
    block = batch_on_commit(without_scripts, robust=False)
    batch = block.__enter__()
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        batch.publish_records({"rolled": ["back"]}, group_id=1)
        raise ZeroDivisionError
    batch.publish_records({"st": ["ored"]}, group_id=1)
    with pytest.raises(BatchIncomplete) as caught:
        block.__exit__(None, None, None)

    assert caught.value.unsent == (1,)


def test_what_is_added_after_an_error_in_the_block_is_refused(publisher, session):
    for block in (batch_on_commit(publisher), batch_after_commit(publisher, session)):
        with contextlib.suppress(ZeroDivisionError), block as batch:
            raise ZeroDivisionError
        with pytest.raises(InvalidMessage, match="is over"):
            batch.publish_records(RECORDS, user_id=1)


def test_an_error_in_the_block_drops_its_messages_and_is_logged(publisher, session, caplog):
    session.add(Voter(name="Ann"))
    session.flush()
    with (  # noqa: PT012 - the block
        pytest.raises(ZeroDivisionError),
        batch_after_commit(publisher, session) as batch,
    ):
        batch.publish_records(RECORDS, user_id=1)
        raise ZeroDivisionError
    session.commit()

    assert rooms(publisher) == []
    assert "1 messages are dropped: the block ended with an error" in caplog.text


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("kind", ["django", "sqlalchemy"])
def test_what_comes_after_the_block_is_refused(publisher, session, kind):
    """It was lost without a word."""
    block = batch_on_commit(publisher)
    if kind == "sqlalchemy":
        block = batch_after_commit(publisher, session)
    with transaction.atomic(), block as batch:
        batch.publish_records(RECORDS, user_id=1)
    with pytest.raises(InvalidMessage, match="is over"):
        batch.publish_records(RECORDS, user_id=2)

    assert rooms(publisher) == ["user-1"]


def test_sessions_need_no_greenlet():
    """SQLAlchemy 2.1 brings none, and its asyncio cannot be imported then."""
    program = "import sys; sys.modules['greenlet'] = None; import publisher.sqlalchemy"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_message_belongs_to_its_savepoint_in_sqlalchemy(publisher, session, caplog):
    session.begin()
    with batch_after_commit(publisher, session) as batch:
        batch.publish_records(RECORDS, user_id=1)
        with contextlib.suppress(ZeroDivisionError), session.begin_nested():
            batch.publish_records(RECORDS, user_id=2)
            raise ZeroDivisionError
        with session.begin_nested():
            batch.publish_records(RECORDS, user_id=3)
    assert rooms(publisher) == []
    session.commit()

    assert rooms(publisher) == ["user-1", "user-3"]
    assert batch.heard == [1, 1]
    assert "1 messages are dropped" in caplog.text


def test_a_savepoint_that_is_rolled_back_takes_its_messages_with_it(publisher, session):
    session.add(Voter(name="Ann"))
    collect(publisher, session, 1)
    with session.begin_nested():
        session.add(Voter(name="Bo"))
        collect(publisher, session, 2)
    assert rooms(publisher) == []
    with pytest.raises(ZeroDivisionError), session.begin_nested():  # noqa: PT012 - the block
        collect(publisher, session, 3)
        raise ZeroDivisionError
    collect(publisher, session, 4)

    session.commit()

    assert rooms(publisher) == ["user-1", "user-2", "user-4"]


def test_a_savepoint_goes_with_what_is_around_it(publisher, session):
    session.begin()
    with session.begin_nested():
        collect(publisher, session, 1)
    session.rollback()
    session.commit()

    assert rooms(publisher) == []


def test_an_error_in_the_block_leaves_nothing_to_publish(publisher, session):
    with pytest.raises(ZeroDivisionError), batch_after_commit(publisher, session) as batch:  # noqa: PT012 - the block
        batch.publish_records(RECORDS, user_id=1)
        raise ZeroDivisionError
    session.commit()

    assert rooms(publisher) == []


def test_a_session_that_is_closed_has_committed_nothing(publisher, engine, session):
    session.add(Voter(name="Ann"))
    session.flush()
    collect(publisher, session, 1)
    session.close()

    session.add(Voter(name="Bo"))
    session.commit()
    collect(publisher, session, 2)
    with pytest.raises(ZeroDivisionError), orm.Session(engine) as other:  # noqa: PT012 - the block
        other.begin()
        collect(publisher, other, 3)
        raise ZeroDivisionError

    assert rooms(publisher) == ["user-2"]


def test_a_session_of_a_thread_may_be_named_by_its_registry(publisher, engine):
    registry = orm.scoped_session(orm.sessionmaker(engine))
    collect(publisher, registry, 1)
    registry.commit()
    registry.remove()

    assert rooms(publisher) == ["user-1"]


@pytest.fixture
def unreachable():
    with Publisher.from_url("redis://127.0.0.1:1", timeout_s=0.1) as publisher:
        yield publisher


def test_an_error_after_the_commit_is_logged_and_the_others_go(
    publisher, unreachable, session, caplog
):
    session.add(Voter(name="Ann"))
    collect(unreachable, session, 1)
    collect(publisher, session, 2)
    session.commit()

    assert rooms(publisher) == ["user-2"]
    assert session.scalars(sa.select(Voter.name)).all() == ["Ann"]
    assert "not all was published after a commit: 0 messages of the batch" in caplog.text


def test_an_error_after_the_commit_may_be_raised_and_the_session_goes_on(
    publisher, unreachable, session
):
    session.add(Voter(name="Ann"))
    for number in (1, 2):
        with batch_after_commit(unreachable, session, robust=False) as batch:
            batch.publish_records(RECORDS, user_id=number)
    collect(publisher, session, 3)
    with pytest.raises(BatchIncomplete):
        session.commit()

    session.rollback()
    assert session.scalars(sa.select(Voter.name)).all() == ["Ann"]
    session.commit()
    assert rooms(publisher) == ["user-3"]


@pytest.mark.asyncio
@pytest.mark.parametrize("is_scoped", [False, True], ids=["session", "scoped"])
async def test_asyncio_publishes_after_the_commit(is_scoped):
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=sa.StaticPool)
    publisher = AsyncRecordingPublisher()
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    session = AsyncSession(engine)
    named = async_scoped_session(lambda: session, scopefunc=int) if is_scoped else session

    session.add(Voter(name="Ann"))
    await session.flush()
    collect(publisher, named, 1)
    await session.rollback()
    session.add(Voter(name="Ann"))
    collect(publisher, named, 2)
    assert rooms(publisher) == []
    await session.commit()
    async with batch_after_commit(publisher, named) as batch:
        batch.publish_records(RECORDS, user_id=3)
    with pytest.raises(InvalidMessage, match="use `async with`"):
        collect(publisher, named, 4)
    await session.close()
    await engine.dispose()

    assert rooms(publisher) == ["user-2", "user-3"]


class LatelyBallotSerializer(Serializer[Ballot]):
    attributes = Attributes("id", "voter_id")
    root = "ballots"
    choices = HasMany(serializer=ChoiceSerializer)


def problem_with(ballot):
    """What is said of it. SQLAlchemy leaves a coroutine behind, which Python warns of."""
    with warnings.catch_warnings(action="ignore"):
        try:
            serialize_models(ballot, serializer=LatelyBallotSerializer)
        except InvalidMessage as error:
            return str(error)
        finally:
            gc.collect()


@pytest.mark.asyncio
async def test_what_asyncio_cannot_load_any_more_is_named_with_what_to_do():
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=sa.StaticPool)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session:
        ballot = Ballot(voter=Voter(name="Ann"))
        session.add(ballot)
        await session.flush()
        session.expire(ballot, ["choices"])
        of_relation = problem_with(ballot)
        session.expire(ballot)
        of_column = problem_with(ballot)
        session.expunge_all()
        detached = problem_with(ballot)
        gc.collect()
    await engine.dispose()

    assert of_relation.startswith("LatelyBallotSerializer.choices is not loaded")
    assert "selectinload(...)" in of_relation
    assert "await session.refresh(model, [...])" in of_column
    assert "its session is closed" in detached


def test_a_user_that_is_not_loaded_gets_no_token_and_a_reason(session):
    ann = Voter(name="Ann")
    session.add(ann)
    session.commit()
    session.close()

    with pytest.raises(InvalidMessage, match="user is not loaded, and its session is closed"):
        RecordingPublisher().tokens.issue(ann, group_ids=[])


def test_a_model_that_is_not_loaded_is_named_at_loomios_call_sites(session):
    ann = Voter(name="Ann")
    session.add(ann)
    session.commit()
    session.close()

    with pytest.raises(InvalidMessage, match="models is not loaded, and its session is closed"):
        loomio.poll_template_settings_changed(RecordingPublisher(), ann)


@pytest.mark.asyncio
async def test_a_query_set_that_asyncio_cannot_load_is_named():
    ids = DjangoVoter.objects.values_list("id", flat=True)
    publisher = AsyncRecordingPublisher()

    with pytest.raises(InvalidMessage, match="group_ids is not loaded"):
        await publisher.tokens.issue({"id": 1, "name": "Ann"}, group_ids=ids)
    with pytest.raises(InvalidMessage, match="models is not loaded"):
        await publisher.publish_models(DjangoVoter.objects.all(), group_id=1)
    with pytest.raises(InvalidMessage, match="ids is not loaded"):
        await publisher.publish_records({"ids": ids}, group_id=1)


def test_an_asynchronous_publisher_needs_an_asynchronous_session(session):
    publisher = AsyncRecordingPublisher()
    with pytest.raises(InvalidMessage, match="pass the AsyncSession"):
        collect(publisher, session, 1)
    with pytest.raises(InvalidMessage, match="need a Publisher"), batch_on_commit(publisher):
        pass
