"""Errors tell what to do, and survive the way to another process."""

import pickle

import pytest

from publisher.errors import (
    ConfigError,
    InvalidMessage,
    PublishError,
    RedisRefused,
    RedisUnavailable,
    ReplyLost,
)

EXAMPLES = [
    InvalidMessage("group_id", "must be an int or a str"),
    ConfigError(("REDIS_URL is wrong", "REDIS_POOL_SIZE is wrong")),
    RedisUnavailable("Redis is away"),
    ReplyLost("the connection broke"),
    RedisRefused("OOM", "raise maxmemory"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_survives_pickling(error):
    """Celery and Sentry pickle them."""
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_only_a_lost_reply_may_have_been_sent(error):
    assert isinstance(error, PublishError)
    assert error.maybe_sent is isinstance(error, ReplyLost)


def test_wrong_arguments_and_settings_are_value_errors():
    """Callers that know nothing of us catch them as what they are."""
    assert issubclass(InvalidMessage, ValueError)
    assert issubclass(ConfigError, ValueError)


@pytest.mark.parametrize(
    ("error", "text"),
    list(
        zip(
            EXAMPLES,
            [
                "group_id must be an int or a str",
                "REDIS_URL is wrong; REDIS_POOL_SIZE is wrong",
                "nothing was sent: Redis is away",
                (
                    "Redis may have executed the command: the connection broke; "
                    "repeat it only where twice does no harm"
                ),
                "Redis refused the command (OOM): raise maxmemory",
            ],
            strict=True,
        )
    ),
)
def test_text_says_what_happened(error, text):
    assert str(error) == text
