"""Settings from an environment; any environment at all: tests/property/test_config.py."""

from ipaddress import ip_network

import pytest

from channel_server.config import Settings, masked
from channel_server.errors import ConfigError

SECRET = "s3cr3t-passw0rd"


def problems(env):
    with pytest.raises(ConfigError) as caught:
        Settings.from_env(env)
    return caught.value.problems


def test_nothing_has_to_be_set():
    assert Settings.from_env({}) == Settings()


def test_defaults_are_those_of_the_node_program():
    """Contract 6.1."""
    settings = Settings()

    assert settings.port == 5000
    assert settings.redis_url == "redis://localhost:6379/0"
    assert settings.cors_origin is None


def test_units_are_converted_at_the_door():
    settings = Settings.from_env(
        {
            "PORT": "0",
            "LOOKUP_SECONDS": "30",
            "PROBE_SECONDS": "7",
            "WRITE_LIMIT_KIB": "64",
            "WRITE_SECONDS": "9",
            "MAX_CONNECTIONS": "500",
            "MAX_PER_ADDRESS": "50",
            "LOG_FORMAT": "json",
            "JOURNAL": "memory",
            "RECOVERY_MINUTES": "2",
            "JOURNAL_ENTRIES": "500",
            "JOURNAL_MIB": "3",
            "MAX_MESSAGE_MIB": "1",
            "PLAIN_PUBLISHERS": "0",
            "CACHE_REDIS_EXPIRE": "60",
            "MAX_PACKETS_PER_SECOND": "20",
            "DRAIN_DELAY_SECONDS": "0",
            "DRAIN_SECONDS": "8",
            "BOTS": "0",
            "MATRIX_AUTO_JOIN": "no",
            "BOT_MAX_AGE_MINUTES": "3",
        }
    )

    assert settings == Settings(
        port=0,
        lookup_patience_s=30,
        probe_s=7,
        write_limit=65_536,
        write_timeout_s=9,
        max_connections=500,
        max_per_address=50,
        log_format="json",
        journal="memory",
        recovery_s=120,
        journal_entries=500,
        journal_bytes=3 * 1024 * 1024,
        max_message_bytes=3 * 256 * 1024,
        has_plain_publishers=False,
        token_ttl_s=60,
        packets_per_s=20,
        drain_delay_s=0,
        drain_s=8,
        has_bots=False,
        is_matrix_joining=False,
        bot_max_age_s=180,
    )


def test_no_minutes_of_recovery_is_no_journal():
    """A stream that keeps nothing could not even deliver."""
    assert Settings.from_env({"RECOVERY_MINUTES": "0"}).journal == "off"
    assert Settings.from_env({"RECOVERY_MINUTES": "0", "JOURNAL": "memory"}).journal == "off"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOURNAL", "postgres"),
        ("RECOVERY_MINUTES", "-1"),
        ("RECOVERY_MINUTES", "1441"),
        ("RECOVERY_MINUTES", "0.5"),
        ("RECOVERY_MINUTES", "9" * 30),
        ("JOURNAL_ENTRIES", "99"),
        ("JOURNAL_MIB", "0"),
        ("MAX_MESSAGE_MIB", "0"),
        ("MAX_MESSAGE_MIB", "1025"),
        ("JOURNAL_MIB", "65537"),
        ("PLAIN_PUBLISHERS", "maybe"),
        ("BOTS", "two"),
        ("MATRIX_AUTO_JOIN", "perhaps"),
        ("BOT_MAX_AGE_MINUTES", "0"),
        ("BOT_MAX_AGE_MINUTES", "1441"),
        ("CACHE_REDIS_EXPIRE", "0"),
        ("MAX_PACKETS_PER_SECOND", "9"),
        ("DRAIN_DELAY_SECONDS", "601"),
        ("DRAIN_SECONDS", "-1"),
    ],
)
def test_absurd_reliability_settings_are_refused(name, value):
    (problem,) = problems({name: value})

    assert problem.startswith(f"{name} must be")


@pytest.mark.parametrize("name", ["PORT", "REDIS_URL", "PUBLIC_APP_URL", "LOG_FORMAT"])
@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_blank_variable_counts_as_not_set(name, blank):
    """Compose files pass on what the operator left empty."""
    assert Settings.from_env({name: blank}) == Settings()


def test_blanks_around_a_value_are_ignored():
    assert Settings.from_env({"PORT": " 80\n"}).port == 80


def test_other_variables_are_ignored():
    """``APP_URL`` is not the origin: it once was, and broke sites (contract 6.1)."""
    env = {"APP_URL": "http://app:3000", "PATH": "/bin", "port": "1", "RAILS_ENV": "production"}

    assert Settings.from_env(env) == Settings()


def test_no_limit_on_connections_is_written_as_0():
    assert Settings.from_env({"MAX_CONNECTIONS": "0"}).max_connections is None


# ── Redis ───────────────────────────────────────────────────────────────────────────────────


def test_cache_url_comes_first():
    """Rails publishes there; the Node program never looked (contract 1.1)."""
    env = {"REDIS_URL": "redis://queue", "REDIS_CACHE_URL": "redis://cache"}

    assert Settings.from_env(env).redis_url == "redis://cache"
    assert Settings.from_env(env | {"REDIS_CACHE_URL": ""}).redis_url == "redis://queue"


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://localhost:6379/0",
        f"redis://:{SECRET}@redis:6379/1",
        f"rediss://user:{SECRET}@redis.example:6380",
        "redis://[::1]:6379",
        f"unix:///run/redis.sock?db=1&password={SECRET}",
    ],
)
def test_every_kind_of_redis_url_is_accepted(url):
    assert Settings.from_env({"REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize(
    "url",
    [
        f"http://:{SECRET}@redis",
        f"{SECRET}@redis:6379",
        f"redis://:{SECRET}@redis:port",
        f"redis://:{SECRET}@redis:70000",
        f"redis://:{SECRET}@redis:0",
        f"redis://:{SECRET}@[::1",
        f"unix://?password={SECRET}",
        f"REDIS//{SECRET}",
    ],
)
def test_wrong_redis_url_is_reported_without_quoting_it(url):
    """It may hold a password, and the message goes to a log."""
    for name in ("REDIS_URL", "REDIS_CACHE_URL"):
        (problem,) = problems({name: url})

        assert problem.startswith(f"{name} must")
        assert SECRET not in problem


# ── origin ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("env", "origin"),
    [
        ({"PUBLIC_APP_URL": "https://loomio.example.org"}, "https://loomio.example.org"),
        ({"PUBLIC_APP_URL": "https://loomio.example.org/"}, "https://loomio.example.org"),
        ({"PUBLIC_APP_URL": "http://localhost:3000/path?a=b"}, "http://localhost:3000"),
        ({"CANONICAL_HOST": "loomio.example.org"}, "https://loomio.example.org"),
        ({"VIRTUAL_HOST": "channels.loomio.example.org"}, "https://loomio.example.org"),
        ({"VIRTUAL_HOST": "loomio.example.org"}, "https://loomio.example.org"),
        ({"VIRTUAL_HOST": "channels.channels.org"}, "https://channels.org"),
        ({"VIRTUAL_HOST": "channels.a.org, channels.b.org"}, "https://a.org"),
        ({"CANONICAL_HOST": "a.org", "VIRTUAL_HOST": "channels.b.org"}, "https://a.org"),
        ({"PUBLIC_APP_URL": "https://a.org", "CANONICAL_HOST": "b.org"}, "https://a.org"),
        ({"PUBLIC_APP_URL": "", "CANONICAL_HOST": "b.org"}, "https://b.org"),
    ],
)
def test_origin_is_found_where_the_node_program_found_it(env, origin):
    """Browsers send an origin without a path: a trailing slash would never match."""
    assert Settings.from_env(env).cors_origin == origin


@pytest.mark.parametrize(
    "url",
    ["loomio.example.org", "ftp://a.org", "https://", "https:///path", "https://a\r\nX: y", "*"],
)
def test_public_url_that_is_none_is_reported(url):
    (problem,) = problems({"PUBLIC_APP_URL": url})

    assert problem.startswith("PUBLIC_APP_URL must name the application's host")


@pytest.mark.parametrize(
    ("text", "is_on"),
    [("1", True), ("true", True), ("YES", True), ("On", True), ("0", False), ("no", False)],
)
def test_flag_is_read_as_people_write_it(text, is_on):
    env = {"ORIGIN_CHECK": text, "CANONICAL_HOST": "a.org"}

    assert Settings.from_env(env).is_origin_checked is is_on


def test_origin_cannot_be_checked_without_knowing_it():
    assert problems({"ORIGIN_CHECK": "1"}) == (
        "ORIGIN_CHECK needs PUBLIC_APP_URL, CANONICAL_HOST or VIRTUAL_HOST",
    )


# ── proxies ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("10.0.0.1", ("10.0.0.1/32",)),
        ("10.0.0.0/8, fd00::/8", ("10.0.0.0/8", "fd00::/8")),
        ("10.1.2.3/8", ("10.0.0.0/8",)),
        (" ::1 ,", ("::1/128",)),
        (",", ()),
    ],
)
def test_proxies_are_addresses_or_networks(text, networks):
    settings = Settings.from_env({"TRUSTED_PROXIES": text})

    assert settings.trusted_proxies == tuple(ip_network(network) for network in networks)


def test_every_wrong_proxy_is_reported():
    assert len(problems({"TRUSTED_PROXIES": "proxy, 10.0.0.1, 10.0.0.0/33"})) == 2


# ── problems ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["many", "1.5", "0x10", "1e3", "-", "12 34", "9" * 5_000])
def test_number_that_is_none_is_reported(text):
    (problem,) = problems({"PORT": text})

    assert problem.startswith("PORT must be a whole number")


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("PORT", 0, 65_535),
        ("LOOKUP_SECONDS", 1, 600),
        ("PROBE_SECONDS", 1, 600),
        ("WRITE_LIMIT_KIB", 64, 1 << 20),
        ("WRITE_SECONDS", 1, 600),
        ("MAX_CONNECTIONS", 0, 10_000_000),
        ("MAX_PER_ADDRESS", 1, 10_000_000),
    ],
)
def test_numbers_have_bounds_and_the_bounds_are_allowed(name, low, high):
    for value in (low, high):
        Settings.from_env({name: str(value)})
    for value in (low - 1, high + 1):
        assert problems({name: str(value)}) == (
            f"{name} must be between {low} and {high}, not {value}",
        )


def test_all_problems_are_reported_at_once():
    """So that an operator fixes all in one go."""
    found = problems(
        {
            "PORT": "http",
            "REDIS_URL": "localhost",
            "PUBLIC_APP_URL": "loomio",
            "ORIGIN_CHECK": "maybe",
            "WRITE_SECONDS": "0",
            "TRUSTED_PROXIES": "all",
            "LOG_FORMAT": "xml",
        }
    )

    assert [problem.split()[0] for problem in found] == [
        "PORT",
        "REDIS_URL",
        "PUBLIC_APP_URL",
        "ORIGIN_CHECK",
        "WRITE_SECONDS",
        "TRUSTED_PROXIES",
        "LOG_FORMAT",
    ]


# ── what a person sees ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        (f"redis://:{SECRET}@redis:6379/1", "redis://:***@redis:6379/1"),
        (f"rediss://ann:{SECRET}@redis/1", "rediss://ann:***@redis/1"),
        (f"redis://ann:{SECRET}@more@redis", "redis://ann:***@redis"),
        (f"redis://ann:{SECRET}:more@redis", "redis://ann:***@redis"),
        ("redis://ann@redis", "redis://***@redis"),
        (f"redis://{SECRET}@redis", "redis://***@redis"),
        (f"unix:///run/r.sock?password={SECRET}", "unix:///run/r.sock"),
    ],
)
def test_password_is_masked(url, shown):
    assert masked(url) == shown


def test_shown_settings_hold_every_value_and_no_password():
    settings = Settings.from_env(
        {"REDIS_URL": f"redis://:{SECRET}@redis", "TRUSTED_PROXIES": "10.0.0.0/8,::1"}
    )

    shown = settings.shown()

    assert len(shown) == len(Settings.__dataclass_fields__)
    assert shown["PORT"] == "5000"
    assert shown["REDIS_URL"] == "redis://:***@redis"
    assert shown["WRITE_LIMIT_KIB"] == "1024"
    assert shown["TRUSTED_PROXIES"] == "10.0.0.0/8, ::1/128"
    assert SECRET not in str(shown)


@pytest.mark.parametrize(
    ("env", "mib"),
    [
        ({}, 8),
        ({"MAX_MESSAGE_MIB": "2"}, 2),
        ({"JOURNAL_MIB": "4"}, 1),
        ({"JOURNAL_MIB": "1"}, 0.25),
        ({"JOURNAL_MIB": "4000", "MAX_MESSAGE_MIB": "100"}, 100),
        ({"JOURNAL_MIB": "16", "MAX_MESSAGE_MIB": "4"}, 4),
    ],
)
def test_a_message_gets_a_quarter_of_the_journal_at_most(env, mib):
    settings = Settings.from_env(env)

    assert settings.max_message_bytes == mib * 1024 * 1024
    assert settings.shown()["MAX_MESSAGE_MIB"] == f"{mib:g}"


def test_allowed_hosts_are_names_and_addresses():
    text = "Matrix.Internal, 10.0.0.7,, [fd00::1] ,host_1"
    settings = Settings.from_env({"MATRIX_ALLOWED_HOSTS": text})
    assert settings.matrix_allowed_hosts == {"matrix.internal", "10.0.0.7", "fd00::1", "host_1"}
    assert settings.shown()["MATRIX_ALLOWED_HOSTS"] == "10.0.0.7, fd00::1, host_1, matrix.internal"


def test_allowed_hosts_that_are_neither():
    bad = "https://matrix.internal, 10.0.0.0/8, a b, 127.0.0.1:8008, m.x:8008, 10.0.0.999, ::::"
    assert len(problems({"MATRIX_ALLOWED_HOSTS": f"{bad}, fine.example"})) == 7


def test_more_than_a_quarter_of_the_journal_is_an_error():
    """It was made smaller without a word."""
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({"JOURNAL_MIB": "16", "MAX_MESSAGE_MIB": "5"})

    (problem,) = caught.value.problems
    assert problem == "MAX_MESSAGE_MIB must be between 1 and 4 (a quarter of JOURNAL_MIB), not 5"


def test_without_a_journal_nothing_is_a_quarter_of_it():
    Settings.from_env({"JOURNAL": "off", "JOURNAL_MIB": "16", "MAX_MESSAGE_MIB": "32"})


def test_a_bound_that_is_no_number_is_one_problem():
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({"JOURNAL_MIB": "16", "MAX_MESSAGE_MIB": "abc"})

    assert caught.value.problems == ("MAX_MESSAGE_MIB must be a whole number, not 'abc'",)
