"""How long a homeserver asks to wait."""

from datetime import UTC, datetime

import pytest

from channel_server.bots.retry_after import wait_s_of

_NOON = datetime(1994, 11, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("99999999999", 3600.0),
        ("Sun, 06 Nov 1994 12:00:30 GMT", 30.0),
        ("Sunday, 06-Nov-94 12:00:30 GMT", 30.0),
        ("Sun Nov  6 12:00:30 1994", 30.0),
        ("Sun, 06 Nov 1994 11:59:59 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Mon, 07 Nov 1994 12:00:00 GMT", 3600.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
    ],
)
def test_a_header_of_seconds_or_with_a_date(header, wait_s):
    """Found by running against a homeserver that sends dates: they were ignored."""
    assert wait_s_of({}, header, _NOON) == wait_s


@pytest.mark.parametrize(
    "header",
    [
        "", "soon", "-5", "1.5", "5 s", "²", "٣", "inf", "Sun, 06 Nov 1994",
        "Sun, 31 Feb 1994 12:00:00 GMT", "Sun, 06 Nov 1994 25:00:00 GMT",
        "Sun, 06 Nov 99999999999999999999 12:00:00 GMT",
        "Sun, 06 Nov 1994 12:00:30 +99999999999999999999",
    ],
)  # fmt: skip
def test_another_header_says_nothing(header):
    assert wait_s_of({}, header, _NOON) is None


def test_a_number_of_digits_without_end_is_an_hour():
    assert wait_s_of({}, "9" * 8000, _NOON) == 3600.0


@pytest.mark.parametrize(
    ("wait_ms", "wait_s"),
    [(2500, 2.5), (0.5, 0.0005), (10**9, 3600.0), (float("inf"), 3600.0)],
)
def test_milliseconds_of_matrix_come_first(wait_ms, wait_s):
    assert wait_s_of({"retry_after_ms": wait_ms}, "7", _NOON) == wait_s


@pytest.mark.parametrize("wait_ms", [0, -1, True, "2500", None, [], float("nan")])
def test_milliseconds_that_are_none_leave_it_to_the_header(wait_ms):
    assert wait_s_of({"retry_after_ms": wait_ms}, "7", _NOON) == 7.0
