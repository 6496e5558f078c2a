"""What people write survives what breaks."""

import shutil
import signal
import sqlite3

import psutil
import pytest

from tests.collab.servers import Application, Ours, play, usual_answer
from tests.servers import wait_until

pytestmark = [pytest.mark.node, pytest.mark.timeout(120)]

WITHIN_S = 30.0


def faults(server, scenario, **more):
    return play(server, scenario, file="faults", **more)


@pytest.fixture
def database(tmp_path):
    return tmp_path / "documents.sqlite3"


def kept(database, folder):
    """What is in a database that its server has for itself: by name."""
    for file in database.parent.glob(f"{database.name}*"):
        shutil.copy(file, folder)
    connection = sqlite3.connect(folder / database.name)
    try:
        return dict(connection.execute("select name, data from documents"))
    finally:
        connection.close()


def test_what_was_accepted_durably_survives_kill_9(application, tmp_path, database):
    with Ours(
        tmp_path, application, COLLAB_DATABASE=str(database), COLLAB_DURABLE_ACK="1"
    ) as ours:
        told = faults(ours, "killed after accepting", orders={"kill": ours.kill})

    assert told == "accepted"


def test_kill_9_loses_what_was_not_stored_and_nothing_else(application, tmp_path, database):
    copies = tmp_path / "copies"
    copies.mkdir()

    def until_stored():
        wait_until(lambda: kept(database, copies), within_s=WITHIN_S, what="it is stored")

    settings = {"COLLAB_DATABASE": str(database), "COLLAB_DEBOUNCE_SECONDS": "1"}
    with Ours(tmp_path, application, **settings) as ours:
        told = faults(
            ours,
            "killed before storing",
            orders={"kill": ours.kill, "until stored": until_stored},
        )

    assert told == "stored "


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_ends_it_stores_what_is_pending(application, tmp_path, database, number):
    settings = {
        "COLLAB_DATABASE": str(database),
        "COLLAB_DEBOUNCE_SECONDS": "600",
        "COLLAB_MAX_DEBOUNCE_SECONDS": "600",
    }
    with Ours(tmp_path, application, **settings) as ours:
        told = faults(ours, "stopped before storing", orders={"stop": lambda: ours.stop(number)})

    assert told == ["0", "pending"]


def test_what_cannot_be_stored_is_kept_and_stored_later(application, tmp_path, database):
    settings = {"COLLAB_DATABASE": str(database), "COLLAB_DEBOUNCE_SECONDS": "0"}
    with Ours(tmp_path, application, **settings) as ours:

        def limit(size):
            psutil.Process(ours.program.process.pid).rlimit(psutil.RLIMIT_FSIZE, (size, -1))

        def until(status):
            wait_until(lambda: ours.ready() == status, within_s=WITHIN_S, what=status)

        told = faults(
            ours,
            "a store that fails",
            orders={
                "break": lambda: limit(1),
                "mend": lambda: limit(-1),
                "until degraded": lambda: until("degraded"),
                "until ok": lambda: until("ok"),
            },
        )
        failures = ours.program.lines("document not stored")

    assert told == "not stored, not dropped"
    assert failures == []  # of the process that was started again


def test_what_cannot_be_loaded_is_never_stored(application, tmp_path, database):
    with sqlite3.connect(database) as connection:
        connection.execute("create table documents (name text unique, data blob not null)")
        connection.execute("insert into documents values ('broken', x'ffffffff')")
    connection.close()

    with Ours(tmp_path, application, COLLAB_DATABASE=str(database)) as ours:
        told = faults(ours, "a document that cannot be loaded")
        (failure,) = ours.program.lines("document not loaded")
    documents = kept(database, tmp_path.parent)

    assert told == "works"
    assert "broken update" in failure
    assert documents["broken"] == b"\xff\xff\xff\xff"
    assert documents["whole"]


@pytest.fixture
def shared_redis(new_redis_server):
    return new_redis_server()


@pytest.fixture
def nodes(application, shared_redis, tmp_path):
    """Two nodes with one Redis, which store late."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    settings = {"COLLAB_REDIS": "1", "REDIS_URL": shared_redis.url, "PROBE_SECONDS": "1"}
    one, two = (Ours(folder, application, **settings) for folder in folders)
    with one, two:
        yield one, two


@pytest.mark.redis
@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("two nodes", "Ann 😀 Ben"),
        ("late joiner on the other node", [{"initialContentLoaded": True}, "seeded"]),
    ],
)
def test_nodes_tell_each_other_what_their_clients_do(nodes, scenario, expected):
    one, two = nodes

    assert faults(one, scenario, other=two.url) == expected


@pytest.mark.redis
def test_what_was_written_on_a_node_that_dies_is_stored_by_the_other(nodes):
    one, two = nodes

    told = faults(
        one,
        "a node killed",
        other=two.url,
        orders={"kill": one.kill, "stop the other": two.stop, "start the other": two.start},
    )

    assert told == "Ben goes on: written on the node that dies"


@pytest.mark.redis
def test_nodes_catch_up_when_redis_is_back(nodes, shared_redis):
    one, two = nodes

    told = faults(
        one,
        "Redis restarted",
        other=two.url,
        orders={"kill Redis": shared_redis.kill, "start Redis": shared_redis.start},
    )

    assert sorted(told) == sorted("fore Ann Ben ")


@pytest.fixture
def until_stored(shared_redis):
    def until_stored():
        with shared_redis.client() as redis:
            wait_until(lambda: redis.keys("*:document:*"), within_s=WITHIN_S, what="it is stored")

    return until_stored


@pytest.mark.redis
def test_document_that_redis_forgets_is_stored_again_when_the_last_leaves(
    application, shared_redis, tmp_path, until_stored
):
    """Found by use: the next reader got an empty document."""
    settings = {
        "COLLAB_REDIS": "1",
        "REDIS_URL": shared_redis.url,
        "COLLAB_DEBOUNCE_SECONDS": "0",
    }

    def forget():
        with shared_redis.client() as redis:
            redis.flushall()

    def restart():
        assert ours.stop() == 0
        ours.start()

    with Ours(tmp_path, application, **settings) as ours:
        orders = {"until stored": until_stored, "forget": forget, "restart": restart}
        assert faults(ours, "Redis forgets", other=ours.url, orders=orders) == "kept"


@pytest.mark.redis
def test_document_that_redis_has_lost_is_stored_again_when_it_is_back(
    nodes, shared_redis, until_stored
):
    def restart_redis():
        shared_redis.stop()
        shared_redis.start()

    one, two = nodes
    orders = {"until stored": until_stored, "restart Redis": restart_redis, "kill": one.kill}

    told = faults(one, "Redis forgets, and the node dies", other=two.url, orders=orders)

    assert told == "kept"


@pytest.mark.redis
def test_user_is_turned_out_by_the_application(application, shared_redis, tmp_path):
    with (
        Ours(tmp_path, application, REDIS_URL=shared_redis.url) as ours,
        shared_redis.client() as redis,
    ):
        order = '{"action": "hang_up", "user_id": 1}'
        told = faults(
            ours,
            "turned out",
            orders={"turn out": lambda: redis.publish("/channel_control", order)},
        )

    assert told == [
        "Ben stays",
        "",
        [["denied", "permission-denied"], ["close", "permission-denied"]],
    ]


def test_application_is_asked_again_while_a_document_is_open(tmp_path):
    with (
        Application() as application,
        Ours(tmp_path, application, COLLAB_REAUTH_SECONDS="1") as ours,
    ):

        def answer(status, headers):
            application.asked.clear()
            application.answer = lambda *_: (status, headers)
            wait_until(lambda: len(application.asked) > 1, within_s=WITHIN_S, what="it is asked")

        application.answer = usual_answer
        told = faults(
            ours,
            "asked again",
            orders={
                "allow reading only": lambda: answer(200, {"X-Document-Access": "readonly"}),
                "be in trouble": lambda: answer(503, {}),
                "deny": lambda: setattr(application, "answer", lambda *_: (401, {})),
            },
        )

    assert told == [
        ["authenticated", "read-write"],
        ["status", 1],
        ["authenticated", "readonly"],
        ["status", 0],
        ["denied", "permission-denied"],
        ["close", "permission-denied"],
    ]


def test_history_does_not_count_towards_the_limit(application, tmp_path):
    """Found by use: 1.5 MiB, replaced seven times, were refused by a limit of 10."""
    with Ours(tmp_path, application, COLLAB_MAX_DOCUMENT_MIB="1") as ours:
        told = faults(ours, "a large value replaced")

    assert told == [[150 * 1024, "g", "Ben goes on", 0]] * 3


@pytest.mark.parametrize("provider", ["2", "3", "4"])
def test_paste_that_is_too_large_leaves_its_document_only(application, tmp_path, provider):
    """Found by use: it ended the connection, and providers 3 and 4 sent it 12 times in 15 s."""
    with Ours(tmp_path, application, COLLAB_MAX_DOCUMENT_MIB="1") as ours:
        told = faults(ours, "a paste that is too large", provider=provider)

    assert told == ["lives on", "goes on"]


def test_token_that_is_shown_later_counts(ours):
    assert faults(ours, "another token") == [
        ["denied", "permission-denied"],
        ["close", "permission-denied"],
    ]


def test_sessions_of_provider_4_share_a_socket_and_a_document(ours):
    assert faults(ours, "two sessions on one socket", provider="4") == ["one two!", [1, 1]]
