"""Who may operate: secrets, sessions, and where a request comes from."""

import pytest
from aiohttp.test_utils import make_mocked_request

from channel_server.web.guard import Guard, Throttle
from tests.unit.engine.doubles import Clock


@pytest.fixture
def clock():
    return Clock()


def guard(clock, **settings):
    return Guard(
        **({"password": "", "api_key": "", "is_loopback": True, "clock": clock} | settings)
    )


def request(**headers):
    sent = {"Host": "127.0.0.1:5001"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return make_mocked_request("POST", "/api/notice", headers=sent)


@pytest.mark.parametrize("text", ["", "secret", "secrets!!", "s\u00e9crets!", "\udc80"])
def test_nothing_but_the_secret_is_the_secret(clock, text):
    ours = guard(clock, password="secrets!", api_key="secrets!")

    assert ours.is_password("secrets!")
    assert ours.is_key("secrets!")
    assert not ours.is_password(text)
    assert not ours.is_key(text)


def test_no_secret_is_not_the_empty_secret(clock):
    assert not guard(clock).is_password("")
    assert not guard(clock).is_key("")


@pytest.mark.parametrize(
    ("settings", "has_dashboard", "is_open"),
    [
        ({}, True, True),
        ({"password": "p" * 8}, True, False),
        ({"api_key": "k" * 8}, True, False),
        ({"is_loopback": False}, False, False),
        ({"is_loopback": False, "password": "p" * 8}, True, False),
        ({"is_loopback": False, "api_key": "k" * 8}, False, False),
    ],
)
def test_what_there_is_without_secrets(clock, settings, has_dashboard, is_open):
    ours = guard(clock, **settings)

    assert (ours.has_dashboard, ours.is_open) == (has_dashboard, is_open)


def test_without_password_the_dashboard_of_this_machine_asks_for_the_key(clock):
    """Else whoever is on this machine could do with it what the API wants the key for."""
    ours = guard(clock, api_key="k" * 16)

    assert ours.asks_for_password
    assert ours.is_password("k" * 16)
    assert not guard(clock, api_key="k" * 16, password="p" * 8).is_password("k" * 16)


def test_cookies_of_two_servers_on_one_host_have_two_names(clock):
    """Browsers give the cookies of one port to all others."""
    assert guard(clock).cookie != guard(clock).cookie


def test_session_lasts_until_it_is_ended_or_over(clock):
    ours = guard(clock)
    first, second = (request(Cookie=f"{ours.cookie}={ours.begin_session()}") for _ in range(2))

    assert ours.has_session(first)
    ours.end_session(first)
    assert not ours.has_session(first)
    assert ours.has_session(second)
    clock.advance(12 * 3600)
    assert not ours.has_session(second)


def test_sessions_are_bounded_and_kept_as_digests(clock):
    ours = guard(clock)
    tokens = [ours.begin_session() for _ in range(150)]

    assert len(ours._sessions) == 100
    assert ours.has_session(request(Cookie=f"{ours.cookie}={tokens[-1]}"))
    assert not ours.has_session(request(Cookie=f"{ours.cookie}={tokens[0]}"))
    assert not any(token.encode() in ours._sessions for token in tokens)


@pytest.mark.parametrize(
    ("headers", "is_foreign"),
    [
        ({}, False),
        ({"Sec_Fetch_Site": "same-origin"}, False),
        ({"Sec_Fetch_Site": "none"}, False),
        ({"Sec_Fetch_Site": "same-site"}, True),
        ({"Sec_Fetch_Site": "cross-site"}, True),
        ({"Origin": "http://127.0.0.1:5001"}, False),
        ({"Origin": "http://127.0.0.1:5000"}, True),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://["}, True),
        ({"Origin": ""}, True),
        ({"Origin": "http://evil.example", "Sec_Fetch_Site": "same-origin"}, True),
    ],
)
def test_pages_of_other_sites_are_told_apart(headers, is_foreign):
    assert Guard.is_foreign(request(**headers)) == is_foreign


@pytest.mark.parametrize(
    ("host", "is_misled"),
    [
        ("127.0.0.1:5001", False),
        ("localhost", False),
        ("[::1]:5001", False),
        ("evil.example:5001", True),
        ("127.0.0.1.evil.example", True),
        ("127.0.0.2:5001", False),
        ("[", True),
        ("[::1", True),
        ("", True),
    ],
)
def test_a_name_that_suddenly_means_this_machine_is_another_sites(clock, host, is_misled):
    """DNS rebinding."""
    assert guard(clock).is_misled(request(Host=host)) == is_misled


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X_Real_IP", "Forwarded", "Via"])
def test_what_a_proxy_passes_on_may_be_from_anywhere(clock, name):
    assert guard(clock).is_misled(request(Host="127.0.0.1:5001", **{name: "203.0.113.9"}))


def test_five_wrong_secrets_a_minute(clock):
    throttle = Throttle(clock)
    for _ in range(5):
        assert throttle.may_try("a")
        throttle.failed("a")

    assert not throttle.may_try("a")
    assert throttle.may_try("b")
    clock.advance(61)
    assert throttle.may_try("a")


def test_a_hundred_from_wherever(clock):
    """Memory stays bounded: who is not looked at is not counted."""
    throttle = Throttle(clock)
    for number in range(1_000):
        if throttle.may_try(f"address {number}"):
            throttle.failed(f"address {number}")

    assert len(throttle._failures) == 100
    assert not throttle.may_try("another")
