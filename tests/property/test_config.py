"""Any environment gives settings, or all its problems at once."""

from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st

from channel_server.config import Settings
from channel_server.errors import ConfigError

NUMBERS = [
    "PORT",
    "LOOKUP_SECONDS",
    "PROBE_SECONDS",
    "WRITE_LIMIT_KIB",
    "WRITE_SECONDS",
    "MAX_CONNECTIONS",
    "MAX_PER_ADDRESS",
]
OTHERS = [
    "REDIS_URL",
    "REDIS_CACHE_URL",
    "CANONICAL_HOST",
    "VIRTUAL_HOST",
    "ORIGIN_CHECK",
    "TRUSTED_PROXIES",
    "LOG_FORMAT",
]
SECRET = "s3cr3t-passw0rd"

texts = st.text(max_size=20) | st.integers().map(str) | st.sampled_from(["1", "0", "yes", "json"])
urls = st.builds(
    "{}{}{}".format,
    st.sampled_from(["http://", "https://", "redis://", "rediss://", "unix://", "//", ""]),
    st.sampled_from(["", f":{SECRET}@", f"ann:{SECRET}@"]),
    st.sampled_from(["redis", "redis:6379", "redis:port", "[::1]", "[::1", "/run/r.sock", ""])
    | st.text(max_size=10),
)
public_urls = st.builds(
    "{}{}{}".format,
    st.sampled_from(["http://", "https://", "ftp://", ""]),
    st.text("abc.-:0123456789 @", max_size=12),
    st.sampled_from(["", "/", "/path?query#fragment"]),
)
environments = st.builds(
    dict.__or__,
    st.dictionaries(st.sampled_from(NUMBERS + OTHERS), texts | urls),
    st.dictionaries(st.just("PUBLIC_APP_URL"), public_urls),
)


def read(env):
    """Settings or None, and the problems."""
    try:
        return Settings.from_env(env), ()
    except ConfigError as error:
        return None, error.problems


@given(environments)
@example({"PORT": "9" * 5_000})
@example({"PORT": "\u0661"})
@example({"REDIS_URL": "redis://[::1"})
@example({"VIRTUAL_HOST": ","})
@example({"TRUSTED_PROXIES": "\u0661.1.1.1"})
def test_any_environment_gives_settings_or_a_config_error(env):
    settings, problems = read(env)

    if settings is None:
        assert problems
        assert all(problem.split()[0] in env for problem in problems)
    else:
        assert 0 <= settings.port <= 65_535
        assert len(settings.shown()) == len(Settings.__dataclass_fields__)


@given(st.dictionaries(st.sampled_from(NUMBERS), st.sampled_from(["many", "-1", "1e9"])))
def test_every_wrong_number_is_reported_in_one_go(env):
    _, problems = read(env)

    assert sorted(problem.split()[0] for problem in problems) == sorted(env)


@given(
    st.sampled_from(["redis", "rediss", "http", "unix", "nonsense"]),
    st.text(max_size=20).map(lambda text: SECRET + quote(text, safe="")),
    st.sampled_from(["redis", "redis:6379/0", "redis:port", "[::1", "[::1]:0"]),
)
def test_password_is_never_quoted(scheme, password, host):
    """Neither in a problem nor in what a person is shown."""
    url = f"{scheme}://ann:{password}@{host}"
    settings, problems = read({"REDIS_URL": url})

    assert SECRET not in str(problems if settings is None else settings.shown())
