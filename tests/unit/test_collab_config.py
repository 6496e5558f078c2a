"""Settings of the server for documents."""

import pytest

from channel_server.collab_config import CollabSettings
from channel_server.errors import ConfigError


def test_nothing_has_to_be_set_but_the_application():
    assert CollabSettings.from_env({}) == CollabSettings()
    assert CollabSettings().app_url is None


def test_defaults_are_those_of_the_node_program():
    settings = CollabSettings()

    assert (settings.port, settings.database) == (4444, "")
    assert (settings.debounce_s, settings.max_debounce_s) == (5, 30)
    assert not settings.has_redis


@pytest.mark.parametrize(
    ("env", "port"),
    [
        ({}, 4444),
        ({"RAILS_ENV": "production"}, 5000),
        ({"RAILS_ENV": "test"}, 4444),
        ({"PORT": "7000"}, 4444),
        ({"RAILS_ENV": "production", "COLLAB_PORT": "7000"}, 7000),
        ({"HOCUSPOCUS_PORT": "7000"}, 7000),
        ({"HOCUSPOCUS_PORT": "7000", "COLLAB_PORT": "8000"}, 8000),
        ({"HOCUSPOCUS_PORT": "7000", "RAILS_ENV": "production"}, 5000),
    ],
)
def test_port_is_that_of_the_node_program_unless_it_is_set(env, port):
    """Contract 4.4: ``PORT`` is not read."""
    assert CollabSettings.from_env(env).port == port


@pytest.mark.parametrize(
    ("env", "url"),
    [
        ({"PRIVATE_APP_URL": "http://app:3000", "APP_URL": "http://b"}, "http://app:3000"),
        ({"APP_URL": "http://b/", "PUBLIC_APP_URL": "https://c"}, "http://b"),
        ({"PUBLIC_APP_URL": "https://c/loomio/", "CANONICAL_HOST": "d"}, "https://c/loomio"),
        ({"CANONICAL_HOST": "d.example.org"}, "https://d.example.org"),
        ({"PRIVATE_APP_URL": " "}, None),
    ],
)
def test_application_is_found_as_by_the_node_program(env, url):
    assert CollabSettings.from_env(env).app_url == url


def test_units_are_converted_at_the_door():
    settings = CollabSettings.from_env(
        {
            "COLLAB_DATABASE": "/data/documents.sqlite3",
            "COLLAB_DEBOUNCE_SECONDS": "1",
            "COLLAB_MAX_DEBOUNCE_SECONDS": "2",
            "COLLAB_DURABLE_ACK": "yes",
            "COLLAB_KEEP_DAYS": "2",
            "COLLAB_REAUTH_SECONDS": "60",
            "COLLAB_MAX_DOCUMENTS": "7",
            "COLLAB_MAX_DOCUMENT_MIB": "2",
            "COLLAB_MAX_MIB": "3",
        }
    )

    assert settings == CollabSettings(
        database="/data/documents.sqlite3",
        debounce_s=1,
        max_debounce_s=2,
        is_durable=True,
        keep_s=2 * 24 * 3600,
        reauth_s=60,
        max_documents=7,
        max_document_bytes=2 * 1024 * 1024,
        max_bytes=3 * 1024 * 1024,
    )


@pytest.mark.parametrize(
    ("env", "has_redis", "has_control"),
    [
        ({}, False, False),
        ({"REDIS_URL": "redis://redis"}, False, True),
        ({"REDIS_CACHE_URL": "redis://redis"}, False, True),
        ({"COLLAB_REDIS": "1"}, True, True),
    ],
)
def test_orders_are_heard_where_there_is_a_redis(env, has_redis, has_control):
    settings = CollabSettings.from_env(env)

    assert (settings.has_redis, settings.has_control) == (has_redis, has_control)


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        ({"COLLAB_PORT": "70000"}, "COLLAB_PORT must be between 0 and 65535"),
        ({"HOCUSPOCUS_PORT": "many"}, "HOCUSPOCUS_PORT must be a whole number"),
        ({"COLLAB_DURABLE_ACK": "maybe"}, "COLLAB_DURABLE_ACK must be 1 or 0"),
        ({"PRIVATE_APP_URL": "app:3000"}, "PRIVATE_APP_URL must name the application's host"),
        ({"APP_URL": "ftp://app"}, "APP_URL must name the application's host"),
        ({"COLLAB_MAX_DOCUMENT_MIB": "0"}, "COLLAB_MAX_DOCUMENT_MIB must be between 1 and"),
        ({"PRIVATE_APP_URL": "http://app:3000/api/hocuspocus/"}, "must end before"),
        ({"COLLAB_DEBOUNCE_SECONDS": "31"}, "must not be more than COLLAB_MAX_DEBOUNCE_SECONDS"),
        ({"COLLAB_DURABLE_ACK": "1"}, "COLLAB_DURABLE_ACK needs COLLAB_DATABASE or COLLAB_REDIS"),
        ({"COLLAB_REDIS": "1", "COLLAB_DATABASE": "/d"}, "exclude each other"),
    ],
)
def test_wrong_setting_is_told(env, problem):
    with pytest.raises(ConfigError, match=problem):
        CollabSettings.from_env(env)


def test_settings_are_shown_in_the_units_of_their_variables():
    env = {
        "COLLAB_HOST": "127.0.0.1",
        "COLLAB_PORT": "7000",
        "PRIVATE_APP_URL": "http://app:3000",
        "COLLAB_DATABASE": "/data/d",
        "COLLAB_REDIS": "0",
        "COLLAB_DEBOUNCE_SECONDS": "1",
        "COLLAB_MAX_DEBOUNCE_SECONDS": "2",
        "COLLAB_DURABLE_ACK": "1",
        "COLLAB_KEEP_DAYS": "2",
        "COLLAB_REAUTH_SECONDS": "60",
        "COLLAB_MAX_DOCUMENTS": "7",
        "COLLAB_MAX_DOCUMENT_MIB": "2",
        "COLLAB_MAX_MIB": "3",
    }

    assert CollabSettings.from_env(env).shown() == env
