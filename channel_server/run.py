"""How a command ends: a known trouble is one plain line and an exit code, never a traceback."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import uvloop

from channel_server import log
from channel_server.admin_config import AdminSettings
from channel_server.config import Settings
from channel_server.errors import ChannelServerError, ConfigError
from channel_server.sentry import report_errors
from channel_server.spelling import near_misses
from channel_server.stop import Stop
from publisher.errors import ConfigError as PublisherConfigError
from publisher.errors import PublishError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping

_log = logging.getLogger(__name__)


def run_server(env: Mapping[str, str]) -> None:
    """Run the server for production.

    Args:
        env: The environment.

    Raises:
        ConfigError: If it does not describe a server.
    """
    from channel_server.app import serve  # noqa: PLC0415 - other commands do without

    settings, admin = read_settings(env)
    prepare(env, settings, admin)
    run(_served(partial(serve, settings, admin)))


def read_settings(env: Mapping[str, str]) -> tuple[Settings, AdminSettings]:
    """What all servers read.

    Raises:
        ConfigError: For all variables that cannot be read, together.
    """
    problems: list[str] = []
    settings, admin = Settings(), AdminSettings()
    with collected(problems):
        settings = Settings.from_env(env)
    with collected(problems):
        admin = AdminSettings.from_env(env)
    if settings.port == admin.port != 0:
        if env.get("ADMIN_PORT"):
            problems.append("ADMIN_PORT must be another port than PORT, or 0")
        # Who has been on 5001 for years should not have to know of a new variable.
        admin = dataclasses.replace(admin, port=admin.port + 1)
    refuse(problems)
    return settings, admin


def prepare(env: Mapping[str, str], settings: Settings, admin: AdminSettings) -> None:
    """Begin to log, and say what may be a mistake.

    Raises:
        ConfigError: If errors cannot be reported.
    """
    log.configure(settings.log_format)
    report_errors(admin.sentry_dsn)
    for name, meant in near_misses(env).items():
        _log.warning("a variable has no effect", extra={"variable": name, "meant": meant})


def run_bots(env: Mapping[str, str]) -> None:
    """Run the Matrix bots alone. Arguments and errors as of ``run_server``."""
    from channel_server.relay import relay  # noqa: PLC0415 - other commands do without

    settings, admin = read_settings(env)
    prepare(env, settings, admin)
    run(_served(partial(relay, settings, admin)))


def run_collab(env: Mapping[str, str]) -> None:
    """Run the server for collaborative documents. Arguments and errors as of ``run_server``."""
    from channel_server.collab_config import CollabSettings  # noqa: PLC0415 - as above
    from channel_server.editing import edit  # noqa: PLC0415 - other commands do without

    problems: list[str] = []
    with collected(problems):
        settings, admin = read_settings(env)
    with collected(problems):
        collab = CollabSettings.from_env(env)
        if collab.app_url is None:
            reason = (
                "PRIVATE_APP_URL (or APP_URL, PUBLIC_APP_URL, CANONICAL_HOST)"
                " must name the application that knows who may edit"
            )
            raise ConfigError((reason,))
    refuse(problems)
    prepare(env, settings, admin)
    run(_served(partial(edit, settings, collab, admin, collab.app_url)))


@contextlib.contextmanager
def collected(problems: list[str]) -> Iterator[None]:
    """Keep what is wrong for later, to tell all of it at once."""
    try:
        yield
    except (ConfigError, PublisherConfigError) as error:
        problems.extend(error.problems)


def refuse(problems: list[str]) -> None:
    """Tell what was collected, once for each variable: several may read the same.

    Raises:
        ConfigError: If it is anything.
    """
    by_variable = {problem.partition(" ")[0]: problem for problem in reversed(problems)}
    if by_variable:
        raise ConfigError(tuple(reversed(by_variable.values())))


async def _served(serve: Callable[[Stop], Coroutine[Any, Any, None]]) -> None:
    """Serve until the process is asked to end."""
    stop = Stop()
    stop.on_signals()
    await serve(stop)


def run(task: Coroutine[Any, Any, None]) -> None:
    """Run until done; a known trouble, alone or in a task group, ends the process."""
    troubles: list[BaseException] = []
    # A shell without job control starts what ends with & deaf to it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        uvloop.run(task)
    except* KeyboardInterrupt:
        pass
    except* (ChannelServerError, PublishError) as group:
        troubles.extend(_leaves(group))
    if troubles:
        fail("; ".join(str(trouble) for trouble in troubles))


@contextlib.contextmanager
def troubles_told() -> Iterator[None]:
    """End the process with 2 for a wrong configuration, with 1 for other known troubles."""
    try:
        yield
    except (ConfigError, PublisherConfigError) as error:
        for problem in error.problems:
            _tell(f"configuration: {problem}")
        sys.exit(2)
    except (ChannelServerError, PublishError) as error:
        fail(str(error))


def fail(text: str) -> NoReturn:
    """Say what is wrong and end the process with 1."""
    _tell(text)
    sys.exit(1)


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the command line's answer


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
