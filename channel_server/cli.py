"""The commands. With ``start`` and ``operator_commands`` the only readers of the environment."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from channel_server import __version__, operator_commands
from channel_server.collab_config import CollabSettings
from channel_server.config import Settings
from channel_server.errors import ConfigError
from channel_server.run import (
    collected,
    fail,
    prepare,
    read_settings,
    refuse,
    run,
    run_bots,
    run_collab,
    run_server,
)
from channel_server.spelling import near_misses
from publisher import Publisher
from publisher.chatbots import TEST_MESSAGE
from publisher.contract.ids import ID_CHARACTERS, Id, read_id
from publisher.settings import Settings as PublisherSettings

app = typer.Typer(
    name="channel-server",
    help="Live updates for Loomio: delivers what is published to Redis to the right browsers.",
    epilog="Settings come from environment variables; `channel-server check-config` shows them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Group = Annotated[
    str | None, typer.Option("--group", help="Send to the room of the group with this id.")
]
User = Annotated[
    str | None, typer.Option("--user", help="Send to the room of the user with this id.")
]


bots_app = typer.Typer(
    help="Without a command: relay messages of Matrix bots, whatever BOTS says.",
    invoke_without_command=True,
)
app.add_typer(bots_app, name="bots")
for command in operator_commands.ALL:
    app.command()(command)


@app.command()
def serve() -> None:
    """Run the server for production: REDIS_URL in, Socket.IO on PORT out."""
    run_server(os.environ)


@app.command()
def dev() -> None:
    """Try it: the server, a Redis of its own (unless REDIS_URL is set), and a demo page."""
    from channel_server.dev import run_demo

    settings, admin = read_settings(os.environ)
    prepare(os.environ, settings, admin)
    has_redis = bool(os.environ.get("REDIS_CACHE_URL") or os.environ.get("REDIS_URL"))
    run(run_demo(settings, admin, has_redis=has_redis))


@app.command()
def collab() -> None:
    """Serve collaborative documents to Hocuspocus providers, on COLLAB_PORT."""
    run_collab(os.environ)


@bots_app.callback()
def relay(context: typer.Context) -> None:
    """Relay messages of Matrix bots, and nothing else: REDIS_URL in, Matrix out."""
    if context.invoked_subcommand is None:
        run_bots(os.environ)


@bots_app.command("send-test")
def send_test(
    server: Annotated[str, typer.Option(help="Homeserver, like https://matrix.example.org")],
    room: Annotated[str, typer.Option(help="#alias:server or !id")],
    token: Annotated[
        str | None,
        typer.Option(
            envvar="MATRIX_ACCESS_TOKEN",
            help="Access token of the bot. Asked for if it is not given; on the command line, others can read it.",
        ),
    ] = None,
    message: Annotated[str, typer.Option(help="The text.")] = TEST_MESSAGE,
) -> None:
    """Send a test message to a Matrix room, and say what is wrong if it does not arrive."""
    from channel_server.bots.trial import send_trial

    settings = _settings()
    if not token and not sys.stdin.isatty():
        raise ConfigError(("MATRIX_ACCESS_TOKEN must hold the access token of the bot",))
    secret = token or typer.prompt("Access token of the bot", hide_input=True)

    async def send() -> None:
        typer.echo(f"sent: {await send_trial(settings, server, room, secret, message)}")

    run(send())


@app.command("check-config")
def check_config() -> None:
    """Check the environment variables and show the values in force, passwords masked."""
    problems: list[str] = []
    shown: dict[str, str] = {}
    with collected(problems):
        settings, admin = read_settings(os.environ)
        shown |= settings.shown() | admin.shown()
    with collected(problems):
        shown |= CollabSettings.from_env(os.environ).shown()
    with collected(problems):
        publishing = PublisherSettings.from_env(os.environ)
    refuse(problems)
    shown["REDIS_POOL_SIZE"] = str(publishing.pool_size)
    shown["PUBLISHER_TIMEOUT"] = f"{publishing.timeout_s:g}"
    table = Table("variable", "value in force")
    for name, value in shown.items():
        table.add_row(name, value)
    Console().print(table)
    for name, meant in near_misses(os.environ).items():
        typer.echo(f"{name} has no effect: is {meant} meant?", err=True)


@app.command()
def publish(
    records: Annotated[str, typer.Argument(help="JSON object of records, or - to read it.")],
    group: Group = None,
    user: User = None,
) -> None:
    """Publish records to a group or to a user (one of the two), as the application would.

    For example: channel-server publish --group 2 '{"comments": [{"id": 1, "body": "hi"}]}'
    """
    text = sys.stdin.read() if records == "-" else records
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        fail(f"records are not JSON: {error}")
    if (group is None) == (user is None):
        fail("name one receiver: --group or --user")
    if not parsed:
        fail("there are no records to publish")
    group_id = None if group is None else _id("--group", group)
    user_id = None if user is None else _id("--user", user)
    with _publisher() as publisher:
        _report(publisher.publish_records(parsed, group_id=group_id, user_id=user_id))


@app.command()
def notice(
    text: Annotated[
        str | None, typer.Argument(help="The notice; leave it out to clear it.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Version the notice speaks of.")] = None,
    reload: Annotated[bool, typer.Option("--reload", help="Offer to reload the page.")] = False,
) -> None:
    """Show a notice to everybody who is online."""
    with _publisher() as publisher:
        _report(publisher.publish_system_notice(text, version=version, reload=reload))


@app.command()
def token(
    user: Annotated[str, typer.Option("--user", help="User id.")],
    name: Annotated[str, typer.Option(help="Name of the user.")] = "Someone",
    group: Annotated[
        list[str] | None, typer.Option("--group", help="Group id; repeatable.")
    ] = None,
    ttl: Annotated[
        int | None, typer.Option(min=0, help="Seconds; 0 for ever; default CACHE_REDIS_EXPIRE.")
    ] = None,
) -> None:
    """Issue a channel token for a user and print it."""
    life: dict[str, Any] = {} if ttl is None else {"ttl": ttl or None}
    owner = {"id": _id("--user", user), "name": name}
    group_ids = [_id("--group", each) for each in group or ()]
    with _publisher() as publisher:
        typer.echo(publisher.tokens.issue(owner, group_ids=group_ids, **life))


@app.command()
def tail(
    channel_token: Annotated[
        str | None, typer.Argument(help="Channel token; leave it out to be a visitor.")
    ] = None,
    url: Annotated[str, typer.Option(help="Of the server.")] = "http://localhost:5000",
) -> None:
    """Print what the owner of a token receives, until Ctrl-C.

    A token that the server does not know is a visitor's: only notices arrive.
    """
    from channel_server import tail as client

    run(client.tail(url, channel_token, lambda event, body: typer.echo(f"{event} {body}")))


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Answer --version."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


def _settings() -> Settings:
    return Settings.from_env(os.environ)


def _publisher() -> Publisher:
    return Publisher.from_env(os.environ)


def _id(option: str, text: str) -> Id:
    found = read_id(text)
    if found is None:
        fail(f"{option} must be a whole number, or have {ID_CHARACTERS}")
    return found


def _report(subscribers: int) -> None:
    typer.echo(f"received by {subscribers} channel server{'' if subscribers == 1 else 's'}")
    if not subscribers:
        typer.echo(
            "does one run on this Redis? What is in the journal is delivered later", err=True
        )
