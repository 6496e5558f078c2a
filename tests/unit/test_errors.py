"""Errors keep data, tell it in one place, and survive the way to another process."""

import inspect
import pickle

import pytest

from channel_server import errors
from channel_server.errors import (
    AddressRefused,
    BrokenUpdate,
    CannotAsk,
    CannotListen,
    CannotLoad,
    CannotOpenStore,
    ChannelServerError,
    ConfigError,
    MalformedFrame,
    MalformedMessage,
    MalformedPacket,
    MalformedUser,
    MatrixBusy,
    MatrixRefused,
    MissingPart,
    NotStored,
    RedisLost,
    RedisRefused,
    ServerUnreachable,
    StoreFailed,
    TooCostly,
    TooManyDocuments,
    TrialFailed,
)

EXAMPLES = {
    ConfigError(("PORT is wrong", "REDIS_URL is wrong")): "PORT is wrong; REDIS_URL is wrong",
    MalformedUser("its id is none"): "no user: its id is none",
    CannotListen("port 5000", "Permission denied"): (
        "cannot listen on port 5000: Permission denied; choose another one with PORT"
    ),
    CannotAsk("http://127.0.0.1:5001", "the key is wrong"): (
        "the server at http://127.0.0.1:5001 (ADMIN_HOST, ADMIN_PORT) cannot be asked:"
        " the key is wrong"
    ),
    CannotLoad("give an address"): "no load test: give an address",
    MissingPart("redis-server", "install it"): "redis-server is missing: install it",
    MalformedMessage("/records", "not JSON", 12): "/records: not JSON (12 bytes)",
    MalformedPacket("unknown packet type"): "unknown packet type",
    RedisLost("ConnectionError"): "Redis is lost: ConnectionError",
    RedisRefused("OOM"): "refused by Redis: OOM",
    AddressRefused(): "a private address",
    ServerUnreachable("no answer in time"): "no answer in time",
    MatrixRefused("M_FORBIDDEN", 403): "refused: M_FORBIDDEN",
    MatrixBusy("rate limit", 2.5): "rate limit",
    MalformedFrame("ends in a number"): "ends in a number",
    BrokenUpdate("ValueError"): "a broken update: ValueError",
    StoreFailed(
        "database or disk is full"
    ): "the store of documents fails: database or disk is full",
    TooCostly("too much for the sandbox"): "a broken update: too much for the sandbox",
    CannotOpenStore("/d", "database is locked"): (
        "cannot open /d (COLLAB_DATABASE): database is locked"
    ),
    NotStored(2): "documents that could not be stored: 2",
    TooManyDocuments(): "too many documents are open",
    TrialFailed("the homeserver knows no such room"): "the homeserver knows no such room",
}


def name(value):
    return type(value).__name__ if isinstance(value, Exception) else ""


@pytest.mark.parametrize(("error", "text"), EXAMPLES.items(), ids=name)
def test_text_says_what_happened(error, text):
    assert str(error) == text


@pytest.mark.parametrize("error", EXAMPLES, ids=name)
def test_every_error_survives_pickling(error):
    """Sentry and process pools pickle them."""
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


def test_there_is_an_example_of_every_error():
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass)}

    assert kinds - {ChannelServerError} == {type(error) for error in EXAMPLES}
    assert all(issubclass(kind, ChannelServerError) for kind in kinds)


def test_the_tree_in_the_docstring_names_every_error():
    for error in EXAMPLES:
        assert name(error) in errors.__doc__


def test_what_is_malformed_is_a_value_error_and_what_is_lost_a_connection_error():
    """Callers that know nothing of us catch them as what they are."""
    assert issubclass(MalformedMessage, ValueError)
    assert issubclass(MalformedPacket, ValueError)
    assert issubclass(RedisLost, ConnectionError)
