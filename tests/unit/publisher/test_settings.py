"""Settings: defaults, the environment, and all problems at once."""

import pytest

from publisher import ConfigError, Publisher
from publisher.settings import Settings


def test_defaults_are_those_of_loomio():
    settings = Settings()

    assert settings.url == "redis://localhost:6379/0"
    assert settings.token_ttl == 1800
    assert settings.pool_size == 20
    assert settings.timeout_s == 5.0


@pytest.mark.parametrize("env", [{}, {"REDIS_URL": "", "CACHE_REDIS_EXPIRE": " "}])
def test_an_empty_environment_means_the_defaults(env):
    """A compose file that passes an unset variable on passes an empty one."""
    assert Settings.from_env(env) == Settings()


def test_the_cache_url_wins():
    """Rails publishes there; a server of its own is then meant for it."""
    env = {"REDIS_CACHE_URL": "redis://cache", "REDIS_URL": "redis://other"}

    assert Settings.from_env(env).url == "redis://cache"


def test_the_plain_url_is_taken_if_the_cache_url_is_empty():
    env = {"REDIS_CACHE_URL": "", "REDIS_URL": "redis://other"}

    assert Settings.from_env(env).url == "redis://other"


def test_numbers_are_read_from_the_environment():
    env = {"CACHE_REDIS_EXPIRE": "60", "REDIS_POOL_SIZE": "3", "PUBLISHER_TIMEOUT": "0.5"}
    settings = Settings.from_env(env)

    assert (settings.token_ttl, settings.pool_size, settings.timeout_s) == (60, 3, 0.5)


@pytest.mark.parametrize("text", ["0", "-1", "1e3", "nan", "1,5", "٣", "5s"])
def test_a_time_out_is_a_plain_number_of_seconds(text):
    with pytest.raises(ConfigError, match="PUBLISHER_TIMEOUT must be a number of seconds"):
        Settings.from_env({"PUBLISHER_TIMEOUT": text})


def test_all_wrong_variables_are_named_at_once_and_not_quoted():
    env = {
        "REDIS_URL": "http://:s3cret@host",
        "CACHE_REDIS_EXPIRE": "s3cret",
        "REDIS_POOL_SIZE": "0",
    }

    with pytest.raises(ConfigError) as caught:
        Settings.from_env(env)

    names = [problem.split()[0] for problem in caught.value.problems]
    assert names == ["REDIS_URL", "CACHE_REDIS_EXPIRE", "REDIS_POOL_SIZE"]
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("text", ["-1", "1.5", "1_000", "٣", "+3", "9" * 10, "0x10"])
def test_only_plain_digits_are_a_number(text):
    with pytest.raises(ConfigError, match="REDIS_POOL_SIZE must be a whole number"):
        Settings.from_env({"REDIS_POOL_SIZE": text})


def test_all_wrong_arguments_are_named_at_once():
    with pytest.raises(ConfigError) as caught:
        Settings(url="nowhere", token_ttl=0, pool_size=True, timeout_s=float("inf"))

    names = [problem.split()[0] for problem in caught.value.problems]
    assert names == ["url", "token_ttl", "pool_size", "timeout_s"]


@pytest.mark.parametrize("timeout_s", [0, -1.0, float("nan"), None, "5", True])
def test_a_timeout_is_a_positive_number(timeout_s):
    with pytest.raises(ConfigError, match="timeout_s"):
        Settings(timeout_s=timeout_s)


def test_tokens_may_be_persistent_by_default():
    assert Settings(token_ttl=None).token_ttl is None


def test_repr_hides_the_url():
    """It may hold a password, and settings get logged."""
    assert "s3cret" not in repr(Settings(url="redis://:s3cret@localhost"))


@pytest.mark.parametrize(
    ("env", "has_journal"),
    [
        ({}, True),
        ({"JOURNAL": "redis"}, True),
        ({"JOURNAL": "memory"}, False),
        ({"JOURNAL": "off"}, False),
        ({"RECOVERY_MINUTES": "30"}, True),
        ({"RECOVERY_MINUTES": "0"}, False),
        ({"RECOVERY_MINUTES": "00"}, False),
    ],
    ids=str,
)
def test_the_journal_is_used_where_the_servers_keep_one(env, has_journal):
    """The same variables as the server's."""
    assert Settings.from_env(env).journal is has_journal


def test_an_unknown_journal_is_refused_without_being_quoted():
    with pytest.raises(ConfigError, match=r"JOURNAL must be redis or memory or off$"):
        Settings.from_env({"JOURNAL": "s3cret"})


@pytest.mark.parametrize(
    ("url", "option", "problem"),
    [
        ("unix:///r.sock", {"socket_keepalive": True}, "not take for unix://"),
        ("redis://x", {"ssl_ca_certs": "/ca.pem"}, "not take for redis://"),
        ("redis+sentinel://x/main", {"ssl_ca_certs": "/ca.pem"}, "not take for redis.sentinel://"),
        ("rediss+cluster://x", {"ssl_min_version": 1}, "knows no ssl_min_version"),
        ("rediss+cluster://x", {"ssl_password": "x"}, "knows no ssl_password"),
        ("redis+cluster://x", {"socket_type": 1}, "knows no socket_type"),
        ("unix:///r.sock", {"host": "x"}, "host cannot be set"),
        ("redis://x", {"driver_info": None}, "driver_info cannot be set"),
        ("redis://x", {"socket_timeout": 1}, "is timeout_s meant"),
    ],
)
def test_options_that_do_not_fit_the_url_are_told_at_once(url, option, problem):
    """They were a TypeError of the first call."""
    with pytest.raises(ConfigError, match=problem):
        Publisher.from_url(url, **option)


@pytest.mark.parametrize(
    ("url", "option"),
    [
        ("unix:///r.sock", {"client_name": "shop"}),
        ("redis://x", {"client_name": "shop", "socket_keepalive": True}),
        ("rediss://x", {"ssl_check_hostname": False}),
        ("rediss+cluster://x", {"ssl_check_hostname": False}),
    ],
)
def test_options_that_fit_the_url_are_taken(url, option):
    Publisher.from_url(url, **option).close()
