"""Where the process starts.

``channel-server serve``, ``bots`` and ``collab`` get by without the library that reads command lines: 12 MB
less memory (62 → 50 MB idle) and half the start-up time, for as long as they run.
"""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys
from typing import Final

for _number in (signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(_number, signal.SIG_IGN)  # as long as the process lives, from here on

try:
    from channel_server.run import run_bots, run_collab, run_server, troubles_told
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] in {"channel_server", "publisher"}:
        raise
    sys.exit(f"the server is not installed ({error.name}): pip install 'channel-server[server]'")

_PLAIN: Final = {"✓": "+", "✗": "x", "·": "-", "→": "->", "…": "..."}


def main() -> None:
    """Run the command line."""
    _print_anywhere()
    with troubles_told():
        if sys.argv[1:] == ["serve"]:
            run_server(os.environ)
        elif sys.argv[1:] == ["bots"]:
            run_bots(os.environ)
        elif sys.argv[1:] == ["collab"]:
            run_collab(os.environ)
        else:
            from channel_server.cli import app

            app()


def _print_anywhere() -> None:
    """Let what a terminal cannot show become something that it can.

    Found where standard output is Latin-1: `doctor` ended with a traceback at its first mark.
    """
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in text), error.end
