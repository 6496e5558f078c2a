"""Whether a connection goes on after an answer, as RFC 9112, 9.3 and 9.6, has it.

Found with `node-fetch`: every second request ended with "socket hang up", because we closed what
an agent had been led to keep.
"""

import json
import subprocess

import pytest

from tests.collab.servers import NODE
from tests.conformance.wire import Client, request

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

PATH = "/socket.io/?EIO=4&transport=polling"
CASES = {
    "opened": ("GET", PATH, 200),
    "refused": ("GET", PATH + "&sid=nobody", 400),
    "wrong method": ("PUT", PATH, 400),
    "preflight": ("OPTIONS", PATH, 204),
    "health": ("GET", "/live", 200),
    "unknown path": ("GET", "/nothing", 404),
}
each_case = pytest.mark.parametrize(("method", "path", "status"), CASES.values(), ids=CASES)

AGENT = """
const http = require('http');
const [url, method, close] = JSON.parse(process.argv[1]);
const agent = new http.Agent({keepAlive: true, maxSockets: 1});
const headers = close ? {Connection: 'close'} : {};
const ask = () => new Promise((resolve, reject) =>
  http.request(url, {agent, method, headers}, (answer) => {
    answer.resume().on('end', () => setImmediate(resolve, answer.statusCode));
  }).on('error', reject).end());
(async () => {
  const statuses = new Set();
  for (let i = 0; i < 20; i++) statuses.add(await ask());
  console.log(JSON.stringify([...statuses]));
  agent.destroy();
})();
"""
FETCH = """
const [url, method] = JSON.parse(process.argv[1]);
(async () => {
  const statuses = new Set();
  for (let i = 0; i < 20; i++) {
    const answer = await fetch(url, {method});
    await answer.text();
    statuses.add(answer.status);
  }
  console.log(JSON.stringify([...statuses]));
})();
"""


async def asked(server, version, method, path, headers):
    """Ask on a connection of its own. Return the answer, and whether a second one comes."""
    client = Client(server.port, "/socket.io/")
    link = await client.link()
    question = request(method, path, headers=headers).replace(b"HTTP/1.1", version)
    await link.send(question)
    answer = await link.response()
    await link.send(question)
    goes_on = await link.verdict() is not None
    await client.close()
    return answer, goes_on


@each_case
@pytest.mark.parametrize(
    ("version", "headers", "says", "goes_on"),
    [
        (b"HTTP/1.1", {}, {None, "keep-alive"}, True),
        (b"HTTP/1.1", {"Connection": "close"}, {"close"}, False),
        (b"HTTP/1.0", {}, {"close", None}, False),
        (b"HTTP/1.0", {"Connection": "keep-alive"}, {"keep-alive"}, True),
    ],
    ids=["1.1", "1.1 close", "1.0", "1.0 keep-alive"],
)
async def test_an_answer_says_whether_its_connection_goes_on(
    server, method, path, status, version, headers, says, goes_on
):
    answer, went_on = await asked(server, version, method, path, headers)

    assert answer.status == status
    assert answer.headers.get("connection", "").lower() in {word or "" for word in says}
    assert went_on == goes_on


@pytest.mark.parametrize(
    ("headers", "status"), [({"Content-Length": "2000000"}, 413), ({"X": "x" * 20_000}, 431)]
)
async def test_who_is_refused_before_all_was_read_is_told_so(server, headers, status):
    client = Client(server.port, "/socket.io/")
    link = await client.link()

    await link.send(request("POST", PATH, headers=headers) + b"x" * 500_000)

    answer = await link.response()
    assert (answer.status, answer.headers["connection"]) == (status, "close")
    await client.close()


def node(script, *arguments):
    ended = subprocess.run(
        [NODE, "-e", script, json.dumps(arguments)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert not ended.returncode, ended.stderr
    return json.loads(ended.stdout)


@each_case
@pytest.mark.parametrize("close", [False, True], ids=["goes on", "closes"])
async def test_an_agent_of_node_that_keeps_its_connections(server, method, path, status, close):
    assert node(AGENT, server.url + path, method, close) == [status]


@each_case
async def test_fetch_of_node(server, method, path, status):
    assert node(FETCH, server.url + path, method) == [status]
