"""Commands about a server, as ``cli`` registers them: is all well, who is here, go away, how much can it take."""

from __future__ import annotations

import os
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table

from channel_server.collab_config import CollabSettings
from channel_server.run import fail, read_settings, run


def doctor(
    url: Annotated[
        str | None, typer.Option(help="Where browsers connect, like https://channels.example.org")
    ] = None,
    channel_token: Annotated[
        str | None,
        typer.Option(
            "--token", envvar="CHANNEL_TOKEN", help="Channel token to look up; - to be asked."
        ),
    ] = None,
    homeserver: Annotated[
        str | None, typer.Option(help="Matrix homeserver of a bot, to see whether it answers.")
    ] = None,
) -> None:
    """Look at the settings, the machine, Redis, and the way from a browser: what is wrong, and why.

    One line each, with a remedy. The exit code is 1 if anything is wrong.
    """
    from channel_server.doctor import Questions, examine

    settings, admin = read_settings(os.environ)
    documents = CollabSettings.from_env(os.environ)
    if channel_token == "-":  # noqa: S105 - not a token
        channel_token = typer.prompt("Channel token", hide_input=True)
    questions = Questions(url=url, token=channel_token, homeserver=homeserver)
    is_well = True

    async def look() -> None:
        nonlocal is_well
        async for finding in examine(os.environ, settings, admin, documents, questions):
            typer.echo(str(finding))
            is_well = is_well and finding.is_well is not False

    run(look())
    if not is_well:
        raise typer.Exit(1)


def info(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, as the API says it.")] = False,
) -> None:
    """Ask the running server on ADMIN_HOST and ADMIN_PORT how it is, and who is here."""
    from channel_server.remote import Remote

    _, admin = read_settings(os.environ)

    async def ask() -> None:
        told = await Remote(admin).info()
        if as_json:
            typer.echo(orjson.dumps(told).decode())
            return
        table = Table(show_header=False)
        for name, value in told.items():
            table.add_row(name, _in_words(value))
        Console().print(table)

    run(ask())


def drain(
    wait: Annotated[int, typer.Option(min=0, help="Seconds to wait until it is gone.")] = 60,
) -> None:
    """Tell the running server to go away as at SIGTERM: its clients move to other nodes."""
    from channel_server.remote import Remote

    _, admin = read_settings(os.environ)

    async def tell() -> None:
        remote = Remote(admin)
        node = (await remote.info())["node"]
        typer.echo(f"draining {await remote.drain()} clients")
        if wait and not await remote.gone(node, wait):
            fail(f"it is still there after {wait} seconds")

    run(tell())


def bench(
    url: Annotated[
        str, typer.Argument(help="Of any Socket.IO server, like http://localhost:5000")
    ],
    clients: Annotated[int, typer.Option(min=1, max=100_000, help="How many connect.")] = 100,
    seconds: Annotated[float, typer.Option(min=0, help="How long they stay.")] = 10.0,
    rate: Annotated[float, typer.Option(min=0.1, help="New connections a second.")] = 200.0,
    publish: Annotated[
        float,
        typer.Option(
            min=0, help="Messages a second, to all clients, through REDIS_URL; 0 for none."
        ),
    ] = 0.0,
) -> None:
    """Connect many clients to a Socket.IO server, and report how it went.

    With --publish, for a channel server: its clients are users of a group that nobody has, and the
    time from publishing to receiving is measured. The exit code is 1 if anything was lost.
    """
    from channel_server.load import Plan, run_load

    settings, _ = read_settings(os.environ)
    plan = Plan(url=url, clients=clients, seconds=seconds, rate=rate, publish=publish)
    is_lossless = True

    async def load() -> None:
        nonlocal is_lossless
        is_lossless = await run_load(plan, settings.redis_url, Console())

    run(load())
    if not is_lossless:
        raise typer.Exit(1)


def _in_words(value: object) -> str:
    """A value of the API for people; of lists, one line each."""
    if isinstance(value, list):
        return "\n".join(map(_in_words, value)) or "none"
    if isinstance(value, dict):
        return " ".join(f"{name}={_in_words(part)}" for name, part in value.items())
    return f"{value:.1f}" if isinstance(value, float) else str(value)


ALL: Final = (doctor, info, drain, bench)
