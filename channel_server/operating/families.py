"""The metrics, by part: names and meanings as in docs/operations.md, "Metrics"."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from channel_server import __version__
from channel_server.log import dropped_lines
from channel_server.metrics import Family, Histogram

if TYPE_CHECKING:
    from collections import Counter

    from channel_server.adapters.feed import Feed
    from channel_server.core.journal import Tail
    from channel_server.engine.doors import Doors
    from channel_server.engine.heartbeat import Heartbeat
    from channel_server.engine.slow import SlowClients
    from channel_server.live.census import Census
    from channel_server.metrics import Metrics

_LOOKED_UP: Final = ("user", "unknown", "malformed", "failed")
_CHANNELS: Final = {"records": "/records", "notice": "/system_notice"}

Numbers = float | Mapping[Any, float]


def _counter(name: str, text: str, read: Callable[[], Numbers], *labels: str) -> Family:
    return Family(name, "counter", text, read, labels)


def _gauge(name: str, text: str, read: Callable[[], Numbers], *labels: str) -> Family:
    return Family(name, "gauge", text, read, labels)


def _histogram(name: str, text: str, read: Callable[[], Histogram]) -> Family:
    return Family(name, "histogram", text, read)


def of_process(
    metrics: Metrics, is_ready: Callable[[], bool], log_lines: Counter[str]
) -> list[Family]:
    """What every process has."""
    labels = (__version__, platform.python_version())
    return [
        _gauge("build_info", "Always 1.", lambda: {labels: 1}, "version", "python"),
        _gauge("ready", "1 if /ready answers 200.", lambda: int(is_ready())),
        _counter("log_lines_total", "Warnings and errors in the log.", lambda: log_lines, "level"),
        _counter(
            "log_lines_dropped_total",
            "Lines of the log that were dropped because nobody read it.",
            dropped_lines,
        ),
        _histogram(
            "event_loop_lag_seconds",
            "How late the event loop was for what it had promised to do.",
            lambda: metrics.loop_lag,
        ),
    ]


def of_connections(
    doors: Doors, slow: SlowClients, heartbeat: Heartbeat, hang_ups: Counter[str]
) -> list[Family]:
    """What every server with clients has."""
    return [
        _gauge(
            "tcp_connections",
            "TCP connections, with and without a client behind them.",
            lambda: len(doors.fronts) + doors.socket_count,
        ),
        _counter(
            "disconnects_total", "Clients that are gone, by reason.", lambda: hang_ups, "reason"
        ),
        _counter(
            "refused_requests_total",
            "Connections and requests that were refused, by reason.",
            lambda: doors.refused,
            "reason",
        ),
        _gauge(
            "slow_clients",
            "Clients that have more unread than WRITE_LIMIT_KIB.",
            lambda: len(slow),
        ),
        _histogram(
            "heartbeat_round_trip_seconds",
            "From a ping to its pong.",
            lambda: heartbeat.round_trips,
        ),
    ]


def of_clients(metrics: Metrics, census: Census, room_count: Callable[[], int]) -> list[Family]:
    """Who is here."""
    return [
        _gauge(
            "connections",
            "Clients by transport (polling, websocket) and kind (user, anonymous, joining).",
            census.connections,
            "transport",
            "kind",
        ),
        _gauge("users_online", "Different users with a connection.", census.users),
        _gauge("rooms", "Rooms with a client in them.", room_count),
        _counter(
            "connects_total",
            "Clients that have connected, by kind.",
            lambda: {
                "user": metrics.connects - metrics.anonymous,
                "anonymous": metrics.anonymous,
            },
            "kind",
        ),
        _counter(
            "token_lookups_total",
            "Tokens looked up, by what was found: user, unknown, failed.",
            lambda: {result: metrics.lookups[result] for result in _LOOKED_UP},
            "result",
        ),
        _histogram(
            "token_lookup_seconds",
            "How long Redis took to say who a client is.",
            lambda: metrics.lookup_times,
        ),
        _counter(
            "expired_tokens_total",
            "Returning clients whose token Redis does not know any more.",
            lambda: metrics.expired_tokens,
        ),
    ]


def of_messages(metrics: Metrics) -> list[Family]:
    """What flows."""
    return [
        _counter(
            "messages_total",
            "Messages for a room, by Redis channel.",
            lambda: {name: metrics.messages[event] for event, name in _CHANNELS.items()},
            "channel",
        ),
        _counter(
            "malformed_messages_total", "Messages that were refused.", lambda: metrics.malformed
        ),
        _counter(
            "too_large_messages_total",
            "Messages that were delivered and not kept: larger than MAX_MESSAGE_MIB.",
            lambda: metrics.too_large,
        ),
        _counter(
            "unaddressed_messages_total",
            "Messages without a room: delivered to nobody.",
            lambda: metrics.unaddressed,
        ),
        _counter(
            "orders_total",
            "Orders of the application that were carried out.",
            lambda: metrics.orders,
        ),
        _counter("deliveries_total", "Messages written to clients.", lambda: metrics.deliveries),
        _counter(
            "delivered_bytes_total", "What these had on the wire.", lambda: metrics.delivered_bytes
        ),
        _histogram(
            "fanout_seconds",
            "From the first to the last write of one message.",
            lambda: metrics.fanout,
        ),
        _histogram(
            "intake_lag_seconds",
            "From a message's place in the journal to its last write, by the clock of Redis.",
            lambda: metrics.intake_lag,
        ),
    ]


def of_redis(feed: Feed, is_up: Callable[[], bool]) -> list[Family]:
    """How Redis is."""
    return [
        _gauge("redis_up", "1 if commands get to Redis.", lambda: int(is_up())),
        _gauge(
            "probe_age_seconds",
            "Since the subscription was last proven to hear what is published.",
            lambda: feed.silent_s,
        ),
    ]


def of_journal(metrics: Metrics, tail: Tail, trouble: Callable[[], str]) -> list[Family]:
    """How the journal is, and what returning clients get out of it."""
    return [
        _gauge("journal_up", "0 while the journal is degraded.", lambda: int(not trouble())),
        _gauge("journal_entries", "Messages this node can replay.", lambda: len(tail)),
        _gauge("journal_bytes", "Memory that these take here.", lambda: tail.kept_bytes),
        _counter(
            "journal_errors_total",
            "How often the journal could not be written or read.",
            lambda: metrics.degradations,
        ),
        _counter("journal_gaps_total", "Gaps that were read.", lambda: metrics.gaps),
        _counter(
            "journal_overruns_total",
            "How often entries were gone before this node has read them.",
            lambda: metrics.overruns,
        ),
        _counter(
            "journal_junk_entries_total",
            "Entries that this version does not understand.",
            lambda: metrics.junk_entries,
        ),
        _counter(
            "recoveries_total",
            "Returning clients, by whether they certainly got everything, and why not.",
            lambda: {
                ("yes", ""): metrics.recovered,
                **{("no", reason): n for reason, n in metrics.not_recovered.items()},
            },
            "complete",
            "reason",
        ),
        _counter(
            "bad_recovery_claims_total",
            "CONNECTs whose pid or offset cannot be right.",
            lambda: metrics.bad_claims,
        ),
        _counter(
            "replayed_messages_total",
            "Messages written to returning clients.",
            lambda: metrics.replayed,
        ),
    ]


def of_bots(metrics: Metrics) -> list[Family]:
    """The Matrix bots."""
    return [
        _counter(
            "bots_messages_total",
            "Messages of bots that are done with, by result.",
            lambda: {
                "sent": metrics.bots_sent,
                "refused": metrics.bots_refused,
                "expired": metrics.bots_expired,
                "overflowed": metrics.bots_overflowed,
                "malformed": metrics.bots_malformed,
                "ignored": metrics.bots_ignored,
            },
            "result",
        ),
        _counter(
            "bots_retries_total",
            "Attempts after which another one follows.",
            lambda: metrics.bots_retries,
        ),
        _gauge(
            "bots_waiting",
            "Messages that wait to be sent by whichever node.",
            lambda: metrics.bots_waiting,
        ),
    ]


def of_documents(metrics: Metrics) -> list[Family]:
    """Collaborative documents."""
    return [
        _gauge("collab_sockets", "Clients of documents.", lambda: metrics.collab_sockets),
        _gauge("collab_documents", "Documents that are open.", lambda: metrics.collab_documents),
        _counter("collab_updates_total", "Changes of documents.", lambda: metrics.collab_updates),
        _counter(
            "collab_stores_total",
            "How often a document was stored.",
            lambda: metrics.collab_stores,
        ),
        _counter(
            "collab_store_failures_total",
            "How often that, or loading one, has failed.",
            lambda: metrics.collab_store_failures,
        ),
        _counter(
            "collab_denied_total",
            "How often a client was denied a document.",
            lambda: metrics.collab_denied,
        ),
    ]
