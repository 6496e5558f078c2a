"""Messages over HTTP long-polling, and what ends a polling session.

Source: Engine.IO protocol, "Sending and receiving data" and "Packet encoding".
"""

import base64

import pytest

from tests.conformance.wire import MAX_PAYLOAD, SEPARATOR, request

pytestmark = pytest.mark.asyncio

ODD_TEXTS = ["4", "4 ", "4é€😀", "4\u2028\u0000\x1f", "4b64", "44", "4\r\n\r\n", "4\ufeffx"]


@pytest.mark.parametrize(
    "body",
    [
        "4hello",
        "4test1\x1e4test2\x1e4test3",
        "4hello\x1ebAQIDBA==",
        "bAQIDBA==\x1e4hello\x1ebBQ==",
        "bAQIDBA==",
        *ODD_TEXTS,
    ],
)
async def test_what_is_posted_comes_back_in_the_same_form(engine, body):
    session = await engine.session()

    posted = await session.post(body)
    polled = await session.poll()

    assert (posted.status, posted.text) == (200, "ok")
    assert polled.status == 200
    assert polled.text == body
    assert polled.headers["content-type"].lower() == "text/plain; charset=utf-8"


async def test_answers_must_not_be_cached(engine):
    session = await engine.session()
    await session.post("4hello")

    assert "no-store" in (await session.poll()).headers["cache-control"]


async def test_every_byte_value_survives_base64(engine):
    session = await engine.session()
    body = "b" + base64.b64encode(bytes(range(256))).decode()

    await session.post(body)

    assert await session.messages(1) == [body]


async def test_poll_that_waits_is_answered_by_the_next_message(engine):
    session = await engine.session()
    poll = await session.begin_poll()

    await session.post("4hello")

    assert (await poll.response()).text == "4hello"


async def test_posts_keep_their_order(engine):
    session = await engine.session()
    expected = [f"4{number}" for number in range(60)]

    for start in range(0, 60, 3):
        await session.post(SEPARATOR.join(expected[start : start + 3]))

    assert await session.messages(60) == expected


async def test_many_packets_fit_into_one_body(engine):
    session = await engine.session()
    expected = [f"4{number}" for number in range(200)]

    await session.post(SEPARATOR.join(expected))

    assert await session.messages(200) == expected


async def test_body_of_exactly_the_maximum_is_accepted(engine):
    session = await engine.session()
    body = "4" + "x" * (MAX_PAYLOAD - 1)

    assert (await session.post(body)).status == 200
    assert await session.messages(1) == [body]


async def test_chunked_body_is_accepted(engine):
    """A proxy may choose this form."""
    session = await engine.session()

    response = await chunked_post(engine, session, b"4hel", b"lo")

    assert response.status == 200
    assert await session.messages(1) == ["4hello"]


async def chunked_post(engine, session, *chunks):
    link = await engine.link()
    head = request(
        "POST", f"{engine.path}?{session.query}", headers={"Transfer-Encoding": "chunked"}
    )
    parts = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]
    await link.send(b"".join([head, *parts, b"0\r\n\r\n"]))
    return await link.response()


async def test_noop_from_the_client_changes_nothing(engine):
    session = await engine.session()

    assert (await session.post("6")).status == 200
    assert await session.echoes()


async def test_sessions_do_not_see_each_other(engine):
    ann, ben = await engine.session(), await engine.session()

    await ann.post("4for ann")
    await ben.post("4for ben")

    assert await ben.messages(1) == ["4for ben"]
    assert await ann.messages(1) == ["4for ann"]


@pytest.mark.parametrize("body", ["abc", "", "7", "9", "x4hello", "\x1e", "é"])
async def test_invalid_packet_ends_the_session(either, body):
    """Whether the POST is answered by 400, by ok or by a hang-up is left open."""
    session = await either.session()
    link = await either.link()

    await link.send(request("POST", f"{either.path}?{session.query}", body.encode()))
    await link.verdict()

    assert (await session.poll()).status == 400
    assert (await session.post("4hello")).status == 400


@pytest.mark.parametrize("body", ["4hello\x1eabc", "4hello\x1e", "4hello\x1e\x1e4hello"])
async def test_invalid_packet_after_a_valid_one_ends_the_session(engine, body):
    session = await engine.session()
    link = await engine.link()

    await link.send(request("POST", f"{engine.path}?{session.query}", body.encode()))
    await link.verdict()

    assert (await session.poll()).status == 400


@pytest.mark.parametrize("body", ["b", "b=", "b!!!!", "bAQIDB", "bé"])
async def test_odd_base64_is_read_or_refused(engine, body):
    """Node reads what it can. Either way the server must not stumble."""
    session = await engine.session()
    link = await engine.link()

    await link.send(request("POST", f"{engine.path}?{session.query}", body.encode()))

    assert await link.verdict() in {200, 400, None}


async def test_body_that_is_no_utf8_is_read_or_refused(engine):
    session = await engine.session()
    link = await engine.link()

    await link.send(request("POST", f"{engine.path}?{session.query}", b"4\xff\xfe\xc3"))

    assert await link.verdict() in {200, 400, None}


async def test_second_poll_ends_the_session_and_releases_the_first(either):
    session = await either.session()
    first = await session.begin_poll()

    second = await session.poll()

    assert second.status == 400
    released = await first.response()
    assert (released.status, released.text) == (200, "1")
    assert (await session.poll()).status == 400


async def test_second_post_ends_the_session(engine):
    """Two at once have no order, so the protocol forbids them."""
    session = await engine.session()
    first = await engine.link()
    await first.send(request("POST", f"{engine.path}?{session.query}", b"4first")[:-3])
    await engine.settle()

    second = await session.post("4second")

    assert second.status == 400
    assert await session.gone()


async def test_cancelled_poll_ends_the_session(either):
    session = await either.session()
    poll = await session.begin_poll()

    await poll.close()

    assert await session.gone()


async def test_cancelled_post_does_not_hurt_the_server(engine):
    session = await engine.session()
    link = await engine.link()
    await link.send(request("POST", f"{engine.path}?{session.query}", b"4half a message")[:-6])
    await engine.settle()

    await link.close()

    assert await (await engine.session()).echoes()
