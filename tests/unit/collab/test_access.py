"""The application is asked who may open a document."""

import asyncio
import logging

import pytest
import pytest_asyncio
from aiohttp import web
from yarl import URL

from channel_server.collab.access import Access, Ruling
from channel_server.collab.messages import Scope

pytestmark = pytest.mark.asyncio

SECRET = "s3cr3t"
NO_ANSWER = Ruling(None, is_certain=False)


class Loomio:
    """Answers as the test says."""

    def __init__(self):
        self.asked = []
        self.answer = lambda _: web.Response()

    async def handle(self, request):
        self.asked.append(
            (request.method, request.path, dict(request.headers), await request.read())
        )
        answer = self.answer(request)
        return await answer if asyncio.iscoroutine(answer) else answer


@pytest_asyncio.fixture
async def loomio():
    return Loomio()


@pytest_asyncio.fixture
async def url(aiohttp_server, loomio):
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", loomio.handle)
    server = await aiohttp_server(app)
    return server.make_url("/api/hocuspocus")


@pytest_asyncio.fixture
async def access(url):
    async with Access(url, timeout_s=5.0) as access:
        yield access


async def test_question_is_that_of_the_node_program(access, loomio):
    await access.ask("1,é", "comment-1-body")

    ((method, path, headers, body),) = loomio.asked
    assert (method, path) == ("POST", "/api/hocuspocus")
    assert headers["Content-Type"] == "application/json; charset=UTF-8"
    assert body.decode() == '{"user_secret":"1,é","document_name":"comment-1-body"}'


@pytest.mark.parametrize(
    ("headers", "scope"),
    [
        ({}, Scope.READ_WRITE),
        ({"X-Document-Access": "readonly"}, Scope.READ_ONLY),
        ({"X-Document-Access": "else"}, Scope.READ_WRITE),
    ],
)
async def test_200_is_yes(access, loomio, headers, scope):
    loomio.answer = lambda _: web.Response(headers=headers)

    assert await access.ask("t", "d") == Ruling(scope)


@pytest.mark.parametrize("status", [401, 403])
async def test_no_is_no(access, loomio, status, caplog):
    loomio.answer = lambda _: web.Response(status=status)

    assert await access.ask("t", "d") == Ruling(None)
    assert caplog.records == []
    assert access.trouble is None


@pytest.mark.parametrize("status", [204, 400, 404, 408, 422, 429, 500, 502, 503])
async def test_trouble_of_the_application_is_no_and_not_certain(access, loomio, status, caplog):
    loomio.answer = lambda _: web.Response(status=status)
    for _ in range(3):
        assert await access.ask(SECRET, SECRET) == NO_ANSWER

    (complaint,) = caplog.records
    assert complaint.reason == f"status {status}"
    assert SECRET not in caplog.text


@pytest.mark.parametrize("status", [200, 401, 403])
async def test_any_answer_ends_the_trouble(access, loomio, status):
    """An application that was away, and that then let nobody in, stayed in trouble."""
    for answer in (503, status):
        loomio.answer = lambda _, status=answer: web.Response(status=status)
        await access.ask("t", "d")

    assert access.trouble is None


async def test_redirect_to_a_page_is_no(access, loomio):
    """Followed, it would be the 200 of a page that asks for a password."""

    def answer(request):
        if request.method == "GET":
            return web.Response(text="log in")
        return web.Response(status=302, headers={"Location": "/login"})

    loomio.answer = answer

    assert await access.ask("t", "d") == NO_ANSWER
    assert len(loomio.asked) == 1


@pytest.mark.parametrize("status", [307, 308])
async def test_question_is_asked_again_where_it_is_sent(access, loomio, status):
    def answer(request):
        if request.path == "/elsewhere":
            return web.Response()
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    loomio.answer = answer

    assert await access.ask("t", "d") == Ruling(Scope.READ_WRITE)
    first, second = (asked[3] for asked in loomio.asked)
    assert first == second


async def test_redirects_in_a_circle_are_no(access, loomio):
    loomio.answer = lambda request: web.Response(status=307, headers={"Location": request.path})

    assert await access.ask("t", "d") == NO_ANSWER
    assert len(loomio.asked) == 4


async def test_application_that_does_not_answer_is_no(url, loomio):
    async def never(_):
        await asyncio.Event().wait()

    loomio.answer = never
    async with Access(url, timeout_s=0.1) as access:
        assert await access.ask("t", "d") == NO_ANSWER


async def test_application_that_is_away_is_no(unused_tcp_port):
    async with Access(URL(f"http://127.0.0.1:{unused_tcp_port}/")) as access:
        assert await access.ask("t", "d") == NO_ANSWER


async def test_application_that_talks_junk_is_no(unused_tcp_port):
    async def junk(reader, writer):
        await reader.read(1)
        writer.write(b"junk\r\n" * 10)
        writer.close()

    server = await asyncio.start_server(junk, "127.0.0.1", unused_tcp_port)
    async with server, Access(URL(f"http://127.0.0.1:{unused_tcp_port}/")) as access:
        assert await access.ask("t", "d") == NO_ANSWER


async def test_few_connections_serve_many_questions(access, loomio):
    answers = await asyncio.gather(*(access.ask("t", str(number)) for number in range(300)))

    assert set(answers) == {Ruling(Scope.READ_WRITE)}
    assert len(loomio.asked) == 300


async def test_complaint_is_made_again_after_it_has_worked(access, loomio, caplog):
    caplog.set_level(logging.WARNING)
    for answer in (500, 200, 500):
        loomio.answer = lambda _, status=answer: web.Response(status=status)
        await access.ask("t", "d")

    assert len(caplog.records) == 2
    assert access.trouble == "status 500"
