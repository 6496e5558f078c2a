"""What operators can choose about the internal port."""

import pytest

from channel_server.admin_config import AdminSettings
from channel_server.errors import ConfigError


def test_without_variables_it_is_this_machines():
    settings = AdminSettings.from_env({})

    assert (settings.host, settings.port) == ("127.0.0.1", 5001)
    assert settings.is_loopback


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [("127.0.0.2", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_what_others_reach_is_told_apart(host, is_loopback):
    assert AdminSettings.from_env({"ADMIN_HOST": host}).is_loopback == is_loopback


def test_all_problems_are_told_at_once_and_no_secret_is_quoted():
    env = {
        "ADMIN_HOST": "admin.example.org",
        "ADMIN_PORT": "x",
        "ADMIN_PASSWORD": "short",
        "ADMIN_API_KEY": "k\u00e9y of more than sixteen",
    }

    with pytest.raises(ConfigError) as caught:
        AdminSettings.from_env(env)

    assert len(caught.value.problems) == 4
    assert "short" not in str(caught.value)
    assert "more than sixteen" not in str(caught.value)


def test_a_key_is_longer_than_a_password():
    assert AdminSettings.from_env({"ADMIN_PASSWORD": "x" * 8}).password
    with pytest.raises(ConfigError, match="ADMIN_API_KEY must have 16 characters"):
        AdminSettings.from_env({"ADMIN_API_KEY": "x" * 15})


def test_secrets_are_shown_nowhere():
    env = {
        "ADMIN_PASSWORD": "secret password",
        "ADMIN_API_KEY": "a secret key of more",
        "SENTRY_PUBLIC_DSN": "https://secret@sentry.example/1",
    }
    settings = AdminSettings.from_env(env)

    assert settings.sentry_dsn == env["SENTRY_PUBLIC_DSN"]
    assert "secret" not in repr(settings) + repr(settings.shown())
    assert settings.shown()["ADMIN_PASSWORD"] == "***"
