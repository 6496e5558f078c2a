"""Misspelt variables."""

import re

import pytest

from channel_server.admin_config import AdminSettings
from channel_server.collab_config import CollabSettings
from channel_server.config import Settings
from channel_server.spelling import OURS, near_misses


def test_our_variables_are_those_that_are_read():
    documented = Settings.__doc__ + CollabSettings.__doc__ + AdminSettings.__doc__

    read = set(re.findall(r"``([A-Z][A-Z_]+)``", documented)) - {"DEBUG"}

    assert read | {"PUBLISHER_TIMEOUT", "REDIS_POOL_SIZE"} == OURS


@pytest.mark.parametrize(
    ("set_", "meant"),
    [
        ("REDIS_URI", "REDIS_URL"),
        ("REDISURL", "REDIS_URL"),
        ("REDIS_ULR", "REDIS_URL"),
        ("JOURNALS", "JOURNAL"),
        ("ADMIN_PASWORD", "ADMIN_PASSWORD"),
        ("DRAIN_SECOND", "DRAIN_SECONDS"),
        ("PUBLIC_APP_URI", "PUBLIC_APP_URL"),
        ("TRUSTED_PROXY", None),  # three letters
        ("PRT", "PORT"),
        ("BOT", "BOTS"),
        ("PROT", "PORT"),
        ("Redis_Url", "REDIS_URL"),
        ("LOG_FROMAT", "LOG_FORMAT"),
        ("HOST", None),
        ("PATH", None),
        ("REDIS_URL", None),
        ("HOME", None),
        ("CHANNELS_URL", None),
    ],
)
def test_at_most_two_letters_apart(set_, meant):
    assert near_misses({set_: "x"}) == ({set_: meant} if meant else {})


def test_ordinary_environments_have_no_near_misses():
    """Of a shell, a container, a systemd unit, Kubernetes, and loomio-deploy."""
    names = [
        "HOME", "HOSTNAME", "LANG", "LC_ALL",
        "LOGNAME", "PATH", "PWD", "SHELL", "SHLVL", "TERM", "USER", "_", "JOURNAL_STREAM", "INVOCATION_ID",
        "MAINPID", "NOTIFY_SOCKET", "KUBERNETES_PORT", "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_SERVICE_PORT",
        "REDIS_PORT", "REDIS_SERVICE_HOST", "REDIS_HOST", "REDIS_PASSWORD",
        "PYTHONUNBUFFERED", "VIRTUAL_PORT", "LETSENCRYPT_HOST",
        "CANONICAL_HOST", "CHANNELS_URL", "HOCUSPOCUS_URL", "SMTP_SERVER",
        "SMTP_PORT", "SECRET_KEY_BASE", "RACK_ENV", "RAILS_ENV",
        "LOOMIO_SYSTEM_RELOAD", "DATABASE_URL", "SUPPORT_EMAIL", "FORCE_SSL",
        "PUMA_WORKERS", "MAX_THREADS", "HTTP_PROXY", "NO_PROXY",
    ]  # fmt: skip

    assert near_misses(names) == {}
