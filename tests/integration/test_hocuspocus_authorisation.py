"""``POST /api/hocuspocus`` behind the web servers of applications."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import wsgiref.simple_server

import pytest
from aiohttp import web

from publisher.hocuspocus import aiohttp as behind_aiohttp
from publisher.hocuspocus import asgi, wsgi

ANN = {"id": 5, "secret_token": "s3cret"}


def find_user(user_id):
    return ANN if user_id == 5 else None


def can_edit(user, kind, record_id):
    del user, kind
    return record_id == 12


async def can_edit_later(*question):
    return can_edit(*question)


@contextlib.contextmanager
def wsgi_server():
    class Quiet(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, *_):
            pass

    server = wsgiref.simple_server.make_server(
        "127.0.0.1", 0, wsgi.App(find_user, can_edit), handler_class=Quiet
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def aiohttp_server():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start():
        app = web.Application()
        app.router.add_post("/api/hocuspocus", behind_aiohttp.handler(find_user, can_edit_later))
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, runner.addresses[0][1]

    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(params=[wsgi_server, aiohttp_server], ids=["wsgi", "aiohttp"])
def port(request):
    with request.param() as port:
        yield port


def ask(port, body, method="POST"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request(
            method, "/api/hocuspocus", body, {"Content-Type": "application/json; charset=UTF-8"}
        )
        response = connection.getresponse()
        return response.status, response.read()


def question(name, secret="5,s3cret"):
    return json.dumps({"user_secret": secret, "document_name": name})


BODIES = [
    (question("discussion-12-description"), 200),
    (question("discussion-13-description"), 401),
    (question("comment-new-5"), 200),
    (question("comment-12", "5,wrong"), 401),
    (question("nothing-12"), 400),
    (question(None), 400),
    ("", 400),
    ("[]", 400),
    ("null", 400),
    ("{", 400),
    (b"\xff\xfe", 400),
    (json.dumps({"user_secret": "x" * 100_000}), 400),
]


@pytest.mark.parametrize(("body", "status"), BODIES, ids=lambda value: repr(value)[-42:])
def test_it_answers_with_a_status_and_nothing_else(port, body, status):
    answered, content = ask(port, body)

    assert answered == status
    assert content in {b"", f"{status}: {http.HTTPStatus(status).phrase}".encode()}


@pytest.mark.parametrize(("body", "status"), BODIES, ids=lambda value: repr(value)[-42:])
def test_asgi(body, status):
    data = body if isinstance(body, bytes) else body.encode()
    pieces = [data[:7], data[7:]]
    sent = []

    async def receive():
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message):
        sent.append(message)

    app = asgi.App(find_user, can_edit_later)
    asyncio.run(app({"type": "http", "method": "POST"}, receive, send))

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (sent[0]["status"], sent[1]["body"]) == (status, b"")


def test_another_method_is_refused(port):
    assert ask(port, None, "GET")[0] == 405


@pytest.mark.parametrize(
    "header",
    [("Content-Length", "9" * 5_000), ("Content-Length", "²"), ("Content-Encoding", "gzip")],
    ids=["huge", "no digit", "gzip"],
)
def test_a_head_that_lies_is_a_bad_request(port, header):
    """Never an error of the server, also where the web server itself has not refused it."""
    body = question("discussion-12-description").encode()
    head = [("Host", "x"), ("Connection", "close"), ("Content-Type", "application/json"), header]
    if header[0] != "Content-Length":
        head.append(("Content-Length", str(len(body))))
    lines = "".join(f"{name}: {value}\r\n" for name, value in head)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"POST /api/hocuspocus HTTP/1.1\r\n{lines}\r\n".encode() + body)
        status = client.makefile("rb").readline().split()[1]

    # Behind WSGI it is the web server in front that knows of encodings.
    assert status == b"400" or (status == b"200" and header[1] == "gzip")
