"""What is passed on of an error of Redis, and what is advised."""

import hiredis
import pytest

from channel_server.adapters.refusals import code_of, refusal_of, remedy_for


@pytest.mark.parametrize(
    ("said", "words", "remedy"),
    [
        ("ERR max number of clients reached", None, "raise its maxclients"),
        ("ERR DB index is out of range", None, "no such database"),
        ("MOVED 3999 10.0.0.7:6381", "MOVED", "another node of the Redis Cluster"),
        ("CLUSTERDOWN Hash slot not served", None, "CLUSTER INFO"),
        ("NOAUTH Authentication required.", "NOAUTH Authentication required", "wants a password"),
        (
            "WRONGPASS invalid username-password pair or user is disabled.",
            "WRONGPASS invalid username-password pair or user is disabled",
            "correct the user or the password",
        ),
        ("ERR AUTH <password> called without any password configured", None, "has no password"),
        ("LOADING Redis is loading the dataset in memory", None, "Redis is starting"),
        (
            "ERR unknown command 'GET', with args beginning with: '/current_users/secret'",
            "ERR",
            "may be too old",
        ),
        (
            "NOPERM User secret has no permissions to access the 'secret' key",
            "NOPERM",
            "the ACL lacks something",
        ),
    ],
)
def test_known_words_are_passed_on_and_of_others_the_code(said, words, remedy):
    """The server logged `BrokenPipeError`, and doctor said `closed by Redis`."""
    reason = refusal_of(hiredis.ReplyError(said))

    assert reason == f"refused by Redis: {words or said}"
    assert remedy in remedy_for(reason)
    assert "secret" not in reason


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("ConnectionRefusedError", "no Redis listens there"),
        ("no TLS in time", "redis:// instead of rediss://?"),
        ("SSLError: WRONG_VERSION_NUMBER", "redis:// instead of rediss://?"),
        ("SSLError", "the options for TLS"),
        ("not the Redis protocol", "rediss://?"),
        ("OOM", "raise maxmemory"),
        ("something new", "docs/operations.md"),
    ],
)
def test_every_reason_has_a_remedy(reason, remedy):
    assert remedy in remedy_for(reason)


def test_a_remedy_names_the_variable_in_force():
    assert "REDIS_CACHE_URL" in remedy_for("gaierror", "REDIS_CACHE_URL")


def test_the_code_of_an_error_in_a_script_of_an_old_redis_is_the_inner_one():
    said = "ERR Error running script: -OOM command not allowed"

    assert code_of(hiredis.ReplyError(said)) == "OOM"
