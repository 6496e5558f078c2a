"""The extension for Flask: one publisher for each application."""

import pytest
from flask import Flask

from publisher import ConfigError, PublishError
from publisher.flask import Channels
from publisher.testing import AsyncRecordingPublisher, RecordingPublisher

pytestmark = pytest.mark.redis

RECORDS = {"comments": [{"id": 1}]}


def application(**config):
    app = Flask("forum")
    app.config.update(config)
    return app


def test_applications_have_publishers_of_their_own(redis_server):
    channels, recording = Channels(), RecordingPublisher()
    real, trial = application(CHANNEL_SERVER_URL=redis_server.url), application()
    channels.init_app(real)
    channels.init_app(trial, publisher=recording)

    with trial.app_context():
        assert channels.publisher.publish_records(RECORDS, group_id=7) == 1
    with real.app_context(), redis_server.listen("/records") as listener:
        assert channels.publisher.publish_records(RECORDS, group_id=8) == 1
        assert len(listener.heard()) == 1
        channels.publisher.close()

    assert recording.records("group-7") == [RECORDS]
    assert recording.records("group-8") == []


def test_without_a_url_the_environment_is_read(redis_server, monkeypatch):
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    app = application()
    channels = Channels(app)

    with app.app_context():
        assert channels.publisher.ping() > 0
        channels.publisher.close()


def test_a_publisher_of_asyncio_is_refused():
    with pytest.raises(ConfigError, match="must be a Publisher, not AsyncRecordingPublisher"):
        Channels(application(), publisher=AsyncRecordingPublisher())


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"CHANNEL_SERVER_URL": "http://localhost"}, "CHANNEL_SERVER_URL must begin with"),
        ({"CHANNEL_SERVER_OPTIONS": {"timeout_s": 1}}, "needs a CHANNEL_SERVER_URL"),
        (
            {"CHANNEL_SERVER_URL": "redis://x", "CHANNEL_SERVER_OPTIONS": {"timeout_s": 0}},
            "CHANNEL_SERVER_OPTIONS: timeout_s must",
        ),
        (
            {"CHANNEL_SERVER_URL": "redis://x", "CHANNEL_SERVER_OPTIONS": 5},
            "CHANNEL_SERVER_OPTIONS must be a dict",
        ),
        ({"CHANNEL_SERVER_OPTION": {"timeout_s": 1}}, "CHANNEL_SERVER_OPTION: only"),
    ],
)
def test_a_config_that_describes_no_publisher(config, problem):
    with pytest.raises(ConfigError, match=problem):
        Channels(application(**config))


def test_keys_of_the_application_are_its_own(redis_server):
    app = application(CHANNEL_SERVER_URL=redis_server.url, CHANNEL_SERVER_PUBLIC_URL="wss://x")
    with app.app_context():
        assert Channels(app).publisher.ping() > 0


def test_an_application_that_was_forgotten_is_told_so():
    with application().app_context(), pytest.raises(PublishError, match=r"call channels.init_app"):
        _ = Channels().publisher
