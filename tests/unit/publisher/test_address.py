"""Redis URLs: wrong ones are refused early, and never quoted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.address import problem_with


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379/0",
        "redis://localhost",
        "redis://localhost/",
        "redis://[::1]:6379/3",
        "redis://:pa%2Fss@redis.example:6379/1",
        "redis://ann:secret@10.0.0.1",
        "redis://localhost?db=2",
        "rediss://redis.example:6380/0?ssl_cert_reqs=none",
        "rediss://redis.example?ssl_ca_certs=/ca.pem&ssl_check_hostname=false",
        "unix:///run/redis.sock",
        "unix:///run/redis.sock?db=1&password=secret",
        "unix://ann:secret@/run/redis.sock",
    ],
)
def test_good_urls_pass(url):
    assert problem_with(url) is None


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "begin with"),
        (None, "begin with"),
        (b"redis://localhost", "begin with"),
        ("http://localhost", "begin with"),
        ("localhost:6379", "begin with"),
        ("redis://localhost:port", "host and port"),
        ("redis://localhost:99999", "host and port"),
        ("redis://localhost:0", "host and port"),
        ("redis://[::1", "host and port"),
        ("redis://a..b", "host and port"),
        ("redis://:s3cret/x@localhost", "host and port"),
        ("redis://:s3cret?x@localhost", "host and port"),
        ("redis://s3cret#x@localhost", "#"),
        ("redis://localhost/one", "number of a database"),
        ("redis://localhost/0/1", "number of a database"),
        ("redis://localhost/-1", "number of a database"),
        ("redis://localhost?db=one", "number as db"),
        ("redis://localhost?protocol=3", "only these options: db, password, username"),
        ("redis://localhost?ssl_cert_reqs=none", "only these options"),
        ("rediss://localhost?max_connections=1", "only these options"),
        ("rediss://localhost?ssl_cert_reqs=CERT_NONE", "as ssl_cert_reqs: none, optional"),
        ("unix://run/redis.sock?db=x", "number as db"),
        ("unix://redis.sock", "socket file"),
        ("unix:///", "socket file"),
    ],
)
def test_bad_urls_are_explained(url, problem):
    assert problem in problem_with(url)


@given(st.text())
def test_any_text_is_judged_and_never_quoted(text):
    """The sentence is one of a few constants, whatever a URL holds."""
    problems = {problem_with(f"{scheme}://{text}") for scheme in ("redis", "rediss", "unix")}

    assert all(p is None or p.startswith(("must", "may")) for p in problems)
    assert all(p is None or "s3cret" not in p for p in {problem_with(f"redis://s3cret{text}")})
