"""Fifty of Loomio's stances, from a real SQLite: as many queries as for one."""

import pytest
import sqlalchemy as sa
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from sqlalchemy import orm

from publisher.loomio import serializers
from publisher.serializers import Loaders, serialize_models
from tests.integration import django_setup  # noqa: F401 - configures it

NAMES = ("Stance", "Poll", "PollOption", "User")
NUMBERS = {"poll_id", "participant_id", "author_id"}


def columns_of(name):
    """What Loomio's serializer of this model reads."""
    serializer = serializers.AuthorSerializer if name == "User" else None
    serializer = serializer or getattr(serializers, f"{name}Serializer")
    keys = [link.key for link in serializer.links if link.key in NUMBERS]
    return dict.fromkeys([*serializer.attributes, *keys])


def rows():
    """Fifty stances of five people in two polls, with two options each."""
    for number in range(1, 6):
        yield "User", {"id": number, "name": f"Voter {number}", "avatar_kind": "initials"}
    for number in (1, 2):
        yield "Poll", {"id": number, "author_id": number}
        yield "PollOption", {"id": number, "poll_id": number}
        yield "PollOption", {"id": number + 2, "poll_id": number}
    for number in range(1, 51):
        whose = {"participant_id": number % 5 + 1, "poll_id": number % 2 + 1}
        yield "Stance", {"id": number, "created_at": "2026-01-31T09:15:27.412Z", **whose}


def loaders(by_ids, options_of):
    found = Loaders()
    found.has_one("Stance", "poll", key="poll_id", load=by_ids("Poll"))
    found.has_one("Stance", "participant", key="participant_id", load=by_ids("User"))
    found.has_one("Poll", "author", key="author_id", load=by_ids("User"))
    found.has_many("Poll", "poll_options", key="poll_id", load=options_of)
    return found


def check(records):
    """Everything is there, once."""
    assert {name: len(found) for name, found in records.items() if found} == {
        "users": 5,
        "poll_options": 4,
        "polls": 2,
        "stances": 50,
    }
    assert {each["poll_id"] for each in records["stances"]} == {1, 2}
    assert {tuple(each["poll_option_ids"]) for each in records["polls"]} == {(1, 3), (2, 4)}


def of_django(name):
    fields = {
        column: models.IntegerField(null=True)
        if column in NUMBERS
        else models.TextField(null=True)
        for column in columns_of(name)
        if column != "id"
    }
    meta = type("Meta", (), {"app_label": "queries"})
    return type(name, (models.Model,), {**fields, "Meta": meta, "__module__": __name__})


def test_django():
    tables = {name: of_django(name) for name in NAMES}
    with connection.schema_editor() as editor:
        for table in tables.values():
            editor.create_model(table)
    for name, row in rows():
        tables[name].objects.create(**row)
    options = tables["PollOption"].objects
    loading = loaders(
        lambda name: tables[name].objects.in_bulk,
        lambda ids: options.filter(poll_id__in=ids).order_by("id"),
    )
    costs = []
    for count in (1, 50):
        stances = list(tables["Stance"].objects.order_by("id")[:count])
        with CaptureQueriesContext(connection) as queries:
            records = serialize_models(stances, loaders=loading)
        costs.append(len(queries))
    connection.close()

    assert costs == [4, 4]
    check(records)


@pytest.fixture
def session():
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    with orm.Session(engine) as session:
        yield session
    engine.dispose()


def test_sqlalchemy(session):
    class Base(orm.DeclarativeBase):
        pass

    tables = {}
    for name in NAMES:
        columns = {
            column: orm.mapped_column(sa.Integer if column in NUMBERS else sa.Text)
            for column in columns_of(name)
        }
        columns["id"] = orm.mapped_column(sa.Integer, primary_key=True)
        tables[name] = type(name, (Base,), {"__tablename__": name.lower(), **columns})
    engine = session.get_bind()
    Base.metadata.create_all(engine)
    session.add_all(tables[name](**row) for name, row in rows())
    session.commit()

    def select(name, column, ids):
        table = tables[name]
        chosen = sa.select(table).where(getattr(table, column).in_(ids)).order_by(table.id)
        return session.scalars(chosen)

    loading = loaders(
        lambda name: lambda ids: {each.id: each for each in select(name, "id", ids)},
        lambda ids: select("PollOption", "poll_id", ids),
    )
    statements = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    costs = []
    for count in (1, 50):
        session.expunge_all()
        stances = session.scalars(sa.select(tables["Stance"]).limit(count)).all()
        statements.clear()
        records = serialize_models(stances, loaders=loading)
        costs.append(len(statements))

    assert costs == [4, 4]
    check(records)
