"""Errors in Sentry: a server of ours takes what the real client sends."""

import gzip
import http.server
import os
import subprocess
import sys
import threading

import brotli
import pytest

SECRETS = ("secret-token-1234", "Ann Example", "words of a message")

REPORTS = f"""
import logging, sys
from channel_server import log
from channel_server.sentry import report_errors

log.configure("json")
report_errors(sys.argv[1])
ours = logging.getLogger("channel_server.live.intake")
others = logging.getLogger("asyncio")

def deliver(token):
    name = {SECRETS[1]!r}
    raise ValueError({SECRETS[2]!r} + token)

try:
    deliver({SECRETS[0]!r})
except ValueError:
    ours.exception("delivery failed", extra={{"token": {SECRETS[0]!r}}})
others.error("Task exception was never retrieved: %r", {SECRETS[2]!r})
ours.warning("not an error")
"""


# The client takes brotli if that is there, as it is with locust.
DECODERS = {None: bytes, "gzip": gzip.decompress, "br": brotli.decompress}


class Ingest(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(DECODERS[self.headers.get("Content-Encoding")](body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def ingest():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ingest) as server:
        server.bodies = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def report(dsn):
    return subprocess.run(
        [sys.executable, "-c", REPORTS, dsn],
        env=os.environ | {"NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_what_is_reported_names_places_and_nothing_that_was_said(ingest):
    done = report(f"http://key@127.0.0.1:{ingest.server_port}/1")

    assert done.returncode == 0, done.stderr
    told = b"\n".join(ingest.bodies).decode()
    assert "delivery failed" in told
    assert '"type":"ValueError"' in told
    assert '"function":"deliver"' in told
    assert "not an error" not in told
    assert [secret for secret in SECRETS if secret in told] == []


def test_without_an_address_nothing_is_reported(ingest):
    assert report("").returncode == 0
    assert ingest.bodies == []


def test_what_is_no_address_stops_the_start():
    done = report("sentry.example.org")

    assert done.returncode == 1
    assert "SENTRY_DSN must be a DSN" in done.stderr
