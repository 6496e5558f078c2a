"""The figures as a table for the terminal and as a page for the documentation."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from tests.bench.figures import (
    BOT_FIGURES,
    DOCUMENT_FIGURES,
    FIGURES,
    PUBLISHER_FIGURES,
    SERVER_FIGURES,
    Figure,
    Samples,
    Verdict,
    verdicts,
)
from tests.bench.servers import BARE, HOCUSPOCUS, OURS, QUIET, TITLES

PUBLISHER_COLUMNS = (OURS, BARE)
BOT_COLUMNS = (OURS, QUIET)
DOCUMENT_COLUMNS = (OURS, HOCUSPOCUS)

ABSENT = "-"

_PAGE = """\
# Benchmarks

`make bench` writes this page; [the last section](#under-load) is of `make load`. It runs our server and its peers on one machine, in turns,
round by round, each started anew with a Redis of its own, and drives the same load against each. CPU is the
server process's user and system time: the driver and Redis do not count. Absolute values change
with the machine and its mood; the ratios within one run are what counts.

{machine}

{servers}

## The servers

- **ours**: `channel-server serve`, with its defaults, metrics and internal port included; and the same with `JOURNAL=off`, which is to be
  compared with servers that remember nothing. Its bars are named "without recovery".
- **Node**: `tests/js/peer.mjs`, a small program with the libraries, options, rooms and events of
  the Node program that we replace, with connection state recovery in its memory, as it was there; and the same without. Ours
  keeps its journal in Redis: every message is published plainly, appended by our server, and read back from the stream.
- **python-socketio**: `tests/bench/peers/ordinary.py`, the same job written the ordinary way, with
  aiohttp, uvloop and orjson.
- **C loop**: `tests/bench/peers/floor.c`, one `send()` per client for each message and nothing
  else: the floor for one write per delivery.

## How each figure is measured

Records are JSON of 2 KB. Clients send no `Accept-Encoding` and offer no websocket extension, and
answer every ping. All is on 127.0.0.1. Each figure is the median of its rounds. USS is the memory
that a process shares with nobody, RSS all of it that is in memory; 1 KB is 1,024 bytes.

{how}

## Before and after

What a change costs is measured beside the server that it has changed, in one run:
`BEFORE=../old-checkout .venv/bin/python -m tests.bench --servers ours,before --only delivery,user,connect,rss,memory,idle`.

|  | before | after |
| --- | ---: | ---: |
| **2026-11-30, issue 17**: d2d34a8, 32f662e |  |  |
| CPU per delivery, µs | 15.2 | 14.1 |
| CPU per message to one user, µs | 82 | 71 |
| CPU per connect, µs | 490 | 460 |
| resident memory of the process, MB | 64.9 | 65.4 |
| memory per idle connection, KB | 3.37 | 3.38 |
| CPU of 4,000 idle clients, ms per second (three runs) | 10.8, 12, 11.6 | 11.6, 12, 11.6 |

The machine was half as fast on that day as on the day of the first table.

## The publisher

Beside what it is made of, in one process, with a Redis on 127.0.0.1. CPU is that process's user and
system time.

{publisher}

{publisher_how}

## Matrix bots

{bots}

{bots_how}

## Documents

`channel-server collab` beside the real @hocuspocus/server 3.4 (`tests/js/collab/reference.mjs`), which keeps its documents in SQLite, too.
The load is a Node process (`tests/js/collab/load.mjs`) with updates of real yjs.

{documents}

{documents_how}

## Under load

`make load`: 500 users for a minute, who are cut off every half minute and recover; a lost message fails it. All figures: [load.md](load.md).

![Percentiles of the time from publishing to receiving, for each second](load-latency.svg)

![Messages received and published, for each second](load-messages.svg)

![Listeners that are connected, and recoveries, for each second](load-users.svg)
"""


def table(samples: Samples, servers: Sequence[str], wanted: Sequence[str]) -> Table:
    """The figures for the terminal."""
    result = Table("", *(TITLES[name] for name in servers), "bars for ours")
    for column in result.columns[1:-1]:
        column.justify = "right"
    for figure in wanted:
        judged = [
            Text(str(verdict), style="green" if verdict.is_met else "bold red")
            for verdict in verdicts(figure, samples)
        ]
        cells = (number(samples.value(figure, name)) for name in servers)
        result.add_row(FIGURES[figure].title, *cells, Text("\n").join(judged))
    return result


def page(samples: Samples, servers: Sequence[str], machine: dict[str, str]) -> str:
    """The whole page, in Markdown.

    Args:
        samples: What was measured.
        servers: Columns.
        machine: Facts about where this was measured.
    """
    return _PAGE.format(
        machine="\n".join(f"- {name}: {value}" for name, value in machine.items()),
        servers=_rows(samples, servers, SERVER_FIGURES),
        how=_how(SERVER_FIGURES),
        publisher=_rows(samples, PUBLISHER_COLUMNS, PUBLISHER_FIGURES),
        publisher_how=_how(PUBLISHER_FIGURES),
        bots=_rows(samples, BOT_COLUMNS, BOT_FIGURES),
        bots_how=_how(BOT_FIGURES),
        documents=_rows(samples, DOCUMENT_COLUMNS, DOCUMENT_FIGURES),
        documents_how=_how(DOCUMENT_FIGURES),
    )


def _rows(samples: Samples, columns: Sequence[str], figures: Mapping[str, Figure]) -> str:
    rows = [
        ["", *(TITLES[name] for name in columns), "bars for ours"],
        ["---", *("---:" for _ in columns), "---"],
    ]
    for figure, about in figures.items():
        cells = (number(samples.value(figure, name)) for name in columns)
        judged = "<br>".join(map(str, verdicts(figure, samples)))
        rows.append([about.title, *cells, judged])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _how(figures: Mapping[str, Figure]) -> str:
    return "\n".join(f"- **{about.title}**: {about.how}" for about in figures.values())


def number(value: float | None) -> str:
    """Three digits are more than the noise allows."""
    if value is None:
        return ABSENT
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def missed(samples: Samples) -> list[Verdict]:
    """Every bar that our server does not meet."""
    return [
        verdict
        for figure in FIGURES
        for verdict in verdicts(figure, samples)
        if not verdict.is_met
    ]
