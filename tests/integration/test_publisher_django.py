"""The app for Django: its settings, its publisher, its check and its command."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction
from django.test.utils import override_settings

from publisher import ConfigError, Publisher
from publisher.contract import CURRENT_USERS
from publisher.django import batch_on_commit, publisher, shared
from publisher.django.shared import publisher_of
from publisher.testing import AsyncRecordingPublisher, RecordingPublisher
from tests.integration import django_setup  # noqa: F401 - configures it

pytestmark = pytest.mark.redis

RECORDS = {"comments": [{"id": 1}]}
SETTINGS = """
SECRET_KEY = "for tests"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "publisher.django"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": {database!r}}}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_SERVER = {channel_server!r}
"""
ANN = 'User.objects.create_user("ann", first_name="Ann", last_name="Chovy")'


class Site:
    """A site of which nothing is there but the settings."""

    def __init__(self, folder, channel_server):
        text = SETTINGS.format(database=str(folder / "db"), channel_server=channel_server)
        (folder / "site_settings.py").write_text(text)
        self._folder = folder

    def manage(self, *words):
        env = os.environ | {"DJANGO_SETTINGS_MODULE": "site_settings"}
        command = [sys.executable, "-m", "django", *words]
        return subprocess.run(
            command, env=env, cwd=self._folder, capture_output=True, text=True, check=False
        )

    def with_ann(self):
        self.manage("migrate", "--verbosity=0")
        shell = f"from django.contrib.auth.models import User; {ANN}"
        assert self.manage("shell", "--verbosity=0", "-c", shell).returncode == 0
        return self


def test_the_publisher_of_the_site_follows_the_settings(redis_server):
    recording = RecordingPublisher()

    with override_settings(CHANNEL_SERVER={"PUBLISHER": recording}):
        assert publisher.publish_records(RECORDS, group_id=7) == 1
    with (
        override_settings(CHANNEL_SERVER={"URL": redis_server.url, "OPTIONS": {"timeout_s": 2}}),
        redis_server.listen("/records") as listener,
    ):
        assert isinstance(publisher, Publisher)
        assert publisher.publish_records(RECORDS, group_id=8) == 1
        assert len(listener.heard()) == 1

    assert recording.records("group-7") == [RECORDS]
    assert recording.records("group-8") == []


def test_two_threads_at_once_make_one_publisher(redis_server, monkeypatch):
    makers = []
    both_make = threading.Barrier(2)

    def slow(given):
        makers.append(given)
        with contextlib.suppress(threading.BrokenBarrierError):
            both_make.wait(timeout=0.5)
        return publisher_of(given)

    def ping():
        return publisher.ping()

    monkeypatch.setattr(shared, "publisher_of", slow)
    with override_settings(CHANNEL_SERVER={"URL": redis_server.url}):
        with ThreadPoolExecutor(2) as threads:
            pings = [threads.submit(ping) for _ in range(2)]
        assert all(ping.result() > 0 for ping in pings)

    assert len(makers) == 1


def test_without_the_setting_the_environment_is_read(redis_server, monkeypatch):
    monkeypatch.setenv("REDIS_URL", redis_server.url)

    with override_settings(CHANNEL_SERVER=None):
        assert publisher.ping() > 0


def test_a_batch_takes_the_publisher_of_the_site():
    recording = RecordingPublisher()

    with override_settings(CHANNEL_SERVER={"PUBLISHER": recording}):
        with transaction.atomic():
            with batch_on_commit() as batch:
                batch.publish_records(RECORDS, group_id=7)
            assert recording.published == []
        assert recording.records("group-7") == [RECORDS]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("redis://localhost", "CHANNEL_SERVER must be a dict"),
        ({}, "must have a URL, or else a PUBLISHER"),
        ({"URL": "redis://x", "PUBLISHER": RecordingPublisher()}, "or else a PUBLISHER"),
        ({"URl": "redis://localhost"}, "knows no URl: only OPTIONS, PUBLISHER, URL"),
        ({"URL": "http://localhost"}, r"CHANNEL_SERVER\['URL'\] must begin with"),
        ({"URL": None}, r"CHANNEL_SERVER\['URL'\] must"),
        ({"URL": "redis://x", "OPTIONS": 5}, r"CHANNEL_SERVER\['OPTIONS'\] must be a dict"),
        ({"URL": "redis://x", "OPTIONS": {"timeout_s": 0}}, r"\['OPTIONS'\]: timeout_s must"),
        ({"URL": "redis://x", "OPTIONS": {"tiemout": 1}}, r"\['OPTIONS'\]: .*tiemout"),
        ({"URL": "redis://x", "OPTIONS": {"timeout": 1}}, "is timeout_s meant"),
        ({"URL": "redis://x", "OPTIONS": {"url": "redis://y"}}, r"\['OPTIONS'\]: .*'url'"),
        ({"URL": "redis://x", "OPTIONS": {7: 1}}, r"\['OPTIONS'\]: .*must be strings"),
        ({"PUBLISHER": AsyncRecordingPublisher()}, r"\['PUBLISHER'\] must be a Publisher"),
    ],
)
def test_settings_that_describe_no_publisher(given, problem):
    with pytest.raises(ConfigError, match=problem) as caught:
        publisher_of(given)

    assert "localhost" not in str(caught.value)


def test_a_check_finds_nothing_wrong_with_a_redis_that_answers(redis_server, tmp_path):
    done = Site(tmp_path, {"URL": redis_server.url}).manage("check")

    assert (done.returncode, "no issues" in done.stdout) == (0, True)


def test_a_redis_that_does_not_answer_is_a_warning(tmp_path):
    """A site without live updates is better than none."""
    done = Site(tmp_path, {"URL": f"unix://{tmp_path}/none.sock"}).manage("check")

    assert done.returncode == 0
    assert "channel_server.W001" in done.stderr
    assert "its socket, or a file for TLS, is not there" in done.stderr


def test_wrong_settings_are_an_error(tmp_path):
    done = Site(tmp_path, {"URL": "redis://:secret-word@localhost/x"}).manage("check")

    assert done.returncode == 1
    assert "channel_server.E001" in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret-word" not in done.stderr


@pytest.mark.slow
def test_a_token_for_a_user_by_name_or_by_id(redis_server, tmp_path):
    site = Site(tmp_path, {"URL": redis_server.url}).with_ann()
    by_name = site.manage("channel_token", "ann", "--groups", "1", "team:2").stdout.strip()
    by_id = site.manage("channel_token", "1").stdout.strip()

    with redis_server.client() as redis:
        users = [json.loads(redis.get(CURRENT_USERS + token)) for token in (by_name, by_id)]
    assert users == [
        {"name": "Ann Chovy", "group_ids": ["1", "team:2"], "id": 1},
        {"name": "Ann Chovy", "group_ids": [], "id": 1},
    ]


@pytest.mark.slow
def test_a_token_that_cannot_be_issued_is_a_sentence(tmp_path):
    site = Site(tmp_path, {"URL": f"unix://{tmp_path}/none.sock"}).with_ann()

    for words, problem in (
        (["ben"], "no user with the name or the id ben"),
        (["9"], "no user with the name or the id 9"),
        (["9" * 40], "no user"),
        (["ann", "--groups", "a b"], "group_ids"),
        (["ann"], "Redis cannot be reached"),
    ):
        done = site.manage("channel_token", *words)
        assert done.returncode == 1
        assert problem in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
