"""The Procfile, run by honcho."""

import http.client
import os
import signal
import subprocess

import pytest

from tests.deploy.programs import ROOT, checked, program
from tests.integration.program import environment
from tests.ports import free_port
from tests.servers import BIN, stop, wait_until

PROCFILE = ROOT / "Procfile"


def honcho(*words):
    return [program("honcho", "make setup"), "--procfile", PROCFILE, "--env", "/dev/null", *words]


def status(port, path):
    """Status of a GET request; None if nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def test_honcho_reads_both_and_takes_no_comment_for_a_process():
    """It is happy with any line that has a colon."""
    assert "(web, collab)" in checked(honcho("check"))


@pytest.mark.redis
@pytest.mark.slow
def test_both_run_side_by_side_and_go_away_together(redis_server, tmp_path):
    """On ports of their own, also the internal ones, and without a trace of trouble."""
    web, collab = free_port(), free_port()
    output = tmp_path / "output"
    settings = environment(
        REDIS_URL=redis_server.url,
        PRIVATE_APP_URL="http://127.0.0.1:1",
        COLLAB_PORT=str(collab),
        RAILS_ENV="production",
        DRAIN_DELAY_SECONDS="0",
        ADMIN_PORT=str(free_port()),
        PATH=f"{BIN}{os.pathsep}{os.environ['PATH']}",
    )
    with output.open("wb") as log:
        process = subprocess.Popen(
            honcho("start", "--port", str(web)), env=settings, stdout=log, stderr=log
        )
    try:
        wait_until(
            lambda: status(web, "/ready") == status(collab, "/ready") == 200,
            within_s=20,
            what="both are ready",
        )
    finally:
        ended = stop(process, signal.SIGTERM)
        print(output.read_text())  # shown by pytest when the test has failed

    text = output.read_text()
    assert ended in {0, 128 + signal.SIGTERM}
    assert text.count(" stopped\n") == 2
    assert "SIGKILL" not in text
    assert (status(web, "/live"), status(collab, "/live")) == (None, None)
