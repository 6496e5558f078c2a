"""Redis URLs: wrong ones are refused early, and never quoted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.contract.redis_url import Kind, problem_with, read_url


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
        "valkey://localhost",
        "valkeys://localhost?ssl_cert_reqs=none",
        "redis+sentinel://h1,h2:26380,[::1]:26381/main/2?sentinel_password=x",
        "rediss+sentinel://ann:secret@h1/main?ssl_ca_certs=/ca.pem",
        "valkey+sentinel://h1/main",
        "redis+cluster://h1,h2:7000",
        "rediss+cluster://:secret@h1/0?ssl_check_hostname=false",
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
        ("redis://localhost/2?db=5", "the database once"),
        ("unix+sentinel://h1/main", "begin with"),
        ("redis+proxy://h1", "begin with"),
        ("redis+sentinel://h1", "name of the primary"),
        ("redis+sentinel://h1/", "name of the primary"),
        ("redis+sentinel:///main", "host and port"),
        ("redis+sentinel://h1,,h2/main", "host and port"),
        ("redis+sentinel://h1:0/main", "host and port"),
        ("redis+sentinel://h1:x/main", "host and port"),
        ("redis+sentinel://h1/main/one", "number of a database"),
        ("redis+sentinel://h1/main?ssl_ca_certs=x", "only these options"),
        ("redis+sentinel://h1/main#x", "#"),
        ("redis+sentinel://h1/main?username=x", "sentinel_password, sentinel_username"),
        ("redis+sentinel://h1/main?db=1", "only these options"),
        ("redis+cluster://h1?username=x", "only these options: none"),
        ("redis+cluster://h1/1", "no database but 0"),
        ("redis+cluster://h1?db=1", "no database but 0"),
        ("redis+cluster://h1?sentinel_password=x", "redis+sentinel:// only"),
    ],
)
def test_bad_urls_are_explained(url, problem):
    assert problem in problem_with(url)


SCHEMES = ("redis", "rediss", "unix", "valkey", "redis+sentinel", "rediss+cluster")


def test_sentinels_are_read():
    url = read_url(
        "rediss+sentinel://ann:s%2Fx@h1,h2:26380,[::1]:26381/my%20main/2"
        "?sentinel_username=bob&ssl_ca_certs=/ca.pem&sentinel_password=p%26w"
    )

    assert url.kind is Kind.SENTINEL
    assert url.hosts == (("h1", 26379), ("h2", 26380), ("::1", 26381))
    assert url.service == "my main"
    assert (url.sentinel_username, url.sentinel_password) == ("bob", "p&w")
    assert url.at("10.0.0.1", 6379) == "rediss://ann:s%2Fx@10.0.0.1:6379/2?ssl_ca_certs=/ca.pem"
    assert url.sentinel_at("h1", 1) == "rediss://bob:p%26w@h1:1?ssl_ca_certs=/ca.pem"
    assert url.at("::2", 6379) == "rediss://ann:s%2Fx@[::2]:6379/2?ssl_ca_certs=/ca.pem"


def test_a_cluster_is_read():
    url = read_url("valkey+cluster://h1,h2:7000")

    assert url.kind is Kind.CLUSTER
    assert url.hosts == (("h1", 6379), ("h2", 7000))
    assert url.at("h3", 1) == "redis://h3:1/0"
    assert url.sentinel_at("h3", 1) == "redis://h3:1"


@given(st.text())
def test_any_text_is_judged_and_never_quoted(text):
    """The sentence is one of a few constants, whatever a URL holds."""
    problems = {problem_with(f"{scheme}://{text}") for scheme in SCHEMES}

    assert all(p is None or p.startswith(("must", "may")) for p in problems)
    assert all(p is None or "s3cret" not in p for p in {problem_with(f"redis://s3cret{text}")})


def test_the_login_is_not_shown():
    """redis-py's pools show what they were made of."""
    url = read_url("redis+sentinel://ann:hunter2@s1/main/0?sentinel_password=hunter3")

    assert "hunter" not in repr(url)
    assert "ann" not in repr(url)
    assert "hunter2" in url.at("primary", 6379)


def test_an_at_sign_in_an_option_is_no_login():
    url = read_url("rediss+cluster://:pw@n1/0?ssl_ca_certs=/etc/a@b.pem")

    assert url.at("n2", 7000) == "rediss://:pw@n2:7000/0?ssl_ca_certs=/etc/a@b.pem"
