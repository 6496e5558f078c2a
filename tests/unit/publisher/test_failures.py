"""Which of our errors a reply or a broken connection becomes."""

import pytest
from redis import exceptions
from redis._parsers import BaseParser

from publisher.errors import RedisRefused, RedisUnavailable, ReplyLost
from publisher.failures import after_writing, before_writing

REPLIES = [
    ("NOAUTH Authentication required.", "NOAUTH"),
    ("WRONGPASS invalid username-password pair or user is disabled.", "WRONGPASS"),
    ("ERR invalid password", "WRONGPASS"),
    ("OOM command not allowed when used memory > 'maxmemory'.", "OOM"),
    ("READONLY You can't write against a read only replica.", "READONLY"),
    ("LOADING Redis is loading the dataset in memory", "LOADING"),
    ("MISCONF Redis is configured to save RDB snapshots", "MISCONF"),
    ("NOPERM this user has no permissions", "NOPERM"),
    ("ERR unknown command `PUBLISH`, with args beginning with: `s3cret`", "UNKNOWN"),
    ("ERR max number of clients reached", "MAXCLIENTS"),
    ("ERR DB index is out of range", "DB"),
    ("MOVED 3999 127.0.0.1:6381", "MOVED"),
    ("CROSSSLOT Keys in request don't hash to the same slot", "CROSSSLOT"),
    ("s3cret text of another server", "ERR"),
]


@pytest.mark.parametrize("translate", [before_writing, after_writing])
@pytest.mark.parametrize(("reply", "code"), REPLIES)
def test_an_error_reply_is_a_refusal_wherever_it_comes(translate, reply, code):
    """Redis executed nothing. Its text is dropped: it may quote the command."""
    error = BaseParser.parse_error(reply)

    failure = translate(error)

    assert type(failure) is RedisRefused
    assert failure.code == code
    assert failure.maybe_sent is False
    assert failure.__cause__ is None
    assert "s3cret" not in str(failure)
    assert ("redis-cli" in failure.advice) is (code in {"ERR", "UNKNOWN"})


# As Redis 6.2, 7.0 and 7.2 say it.
SCRIPTS = "NOPERM this user has no permissions to run the 'evalsha' command or its subcommand"
KEYS = "NOPERM this user has no permissions to access one of the keys used as arguments"
RIGHTS = [
    (SCRIPTS, "commands", True),
    ("NOPERM User app has no permissions to run the 'evalsha' command", "commands", True),
    (KEYS, "keys", True),
    ("NOPERM No permissions to access a key", "keys", True),
    ("NOPERM No permissions to access a channel", "channels", False),
    (
        (
            "ERR Error running script (call to f_29b5b674b7cd21b7391b3d466d3b13abbe168194): "
            "@user_script:1: @user_script: 1: The user executing the script can't access at least one "
            "of the keys mentioned in the command arguments"
        ),
        "keys",
        False,
    ),
    (
        (
            "ERR The user executing the script can't run this command or subcommand script: "
            "29b5b674b7cd21b7391b3d466d3b13abbe168194, on @user_script:1."
        ),
        "commands",
        False,
    ),
    (
        (
            "ERR ACL failure in script: User app has no permissions to run the 'sadd' command script: "
            "29b5b674b7cd21b7391b3d466d3b13abbe168194, on @user_script:1."
        ),
        "commands",
        False,
    ),
]


@pytest.mark.parametrize(("reply", "missing", "prevents_scripts"), RIGHTS)
def test_which_right_is_missing_is_read(reply, missing, prevents_scripts):
    """What was refused in the midst of a script may have been done in part."""
    failure = after_writing(BaseParser.parse_error(reply))

    assert (failure.code, failure.missing) == ("NOPERM", missing)
    assert failure.prevents_scripts is prevents_scripts
    assert failure.maybe_sent is ("script" in reply)


@pytest.mark.parametrize("code", ["MISCONF", "NOREPLICAS", "OOM", "READONLY"])
def test_a_redis_that_takes_no_writes_has_done_nothing(code):
    """It refuses the first write of a script: Redis 7 names the script, Valkey does not."""
    reply = f"{code} no. script: 29b5b674b7cd21b7391b3d466d3b13abbe168194, on @user_script:1."

    failure = after_writing(BaseParser.parse_error(reply))

    assert (failure.code, failure.maybe_sent) == (code, False)


def test_a_reply_in_a_wrapping_is_a_refusal():
    """redis.asyncio's Unix connection logs in inside of connecting, and wraps what comes."""
    wrapped = exceptions.ConnectionError("wrapped")
    wrapped.__cause__ = BaseParser.parse_error("NOPERM no")

    assert before_writing(wrapped).code == "NOPERM"


LOST = [
    exceptions.ConnectionError("Connection closed by server."),
    exceptions.TimeoutError("Timeout reading from socket"),
    exceptions.InvalidResponse("Protocol error"),
    TimeoutError(),
]


@pytest.mark.parametrize("error", LOST, ids=repr)
def test_trouble_before_writing_has_sent_nothing(error):
    failure = before_writing(error)

    assert type(failure) is RedisUnavailable
    assert failure.maybe_sent is False
    assert failure.__cause__ is error


@pytest.mark.parametrize("error", LOST, ids=repr)
def test_trouble_after_writing_may_have_sent_it(error):
    failure = after_writing(error)

    assert type(failure) is ReplyLost
    assert failure.maybe_sent is True
    assert failure.__cause__ is error
