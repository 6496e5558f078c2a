"""What ``import publisher`` gives, and what it costs."""

import inspect
import subprocess
import sys

import pytest

import publisher
from publisher import AsyncPublisher, Publisher
from publisher.aio import AsyncTokens
from publisher.client import Tokens


def names_of(owner):
    return {name for name in vars(owner) if not name.startswith("_")}


def loaded_by(statement):
    """Modules that a fresh Python has after one statement."""
    script = f"{statement}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    return set(run.stdout.decode().split())


def test_public_names_are_sorted():
    assert publisher.__all__ == sorted(publisher.__all__)


@pytest.mark.parametrize("name", publisher.__all__)
def test_every_public_name_is_there(name):
    assert getattr(publisher, name).__name__ == name
    assert name in dir(publisher)


def test_a_misspelt_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Publischer"):
        publisher.Publischer  # noqa: B018  # the access is the test


@pytest.mark.parametrize("module", ["publisher", "publisher.contract"])
def test_the_names_alone_cost_no_import_of_redis(module):
    """The server's core imports the contract, and must not pay for redis-py."""
    loaded = loaded_by(f"import {module}")

    assert loaded.isdisjoint({"redis", "orjson", "asyncio"})


def test_the_publisher_imports_nothing_of_the_server():
    loaded = loaded_by("from publisher import AsyncPublisher, Publisher")

    assert not [name for name in loaded if name.startswith("channel_server")]
    assert loaded.isdisjoint({"aiohttp", "socketio", "django", "fastapi", "pytest", "sqlalchemy"})


@pytest.mark.parametrize(
    ("blocking", "asynchronous"), [(Publisher, AsyncPublisher), (Tokens, AsyncTokens)]
)
def test_both_kinds_have_the_same_methods_with_the_same_parameters(blocking, asynchronous):
    """What is learnt for one holds for the other."""
    names = names_of(blocking)

    assert names == names_of(asynchronous)
    for name in names:
        sync_signature = inspect.signature(getattr(blocking, name))
        async_signature = inspect.signature(getattr(asynchronous, name))
        assert sync_signature.parameters == async_signature.parameters, name
        if name != "batch":  # a context manager of either kind
            assert sync_signature == async_signature, name


@pytest.mark.parametrize(
    ("blocking", "asynchronous"), [(Publisher, AsyncPublisher), (Tokens, AsyncTokens)]
)
def test_whatever_talks_to_redis_is_a_coroutine_in_the_async_kind(blocking, asynchronous):
    makers = {"batch", "from_env", "from_url"}

    for name in names_of(blocking) - makers:
        assert not inspect.iscoroutinefunction(getattr(blocking, name))
        assert inspect.iscoroutinefunction(getattr(asynchronous, name))
