"""Which requests come from another site's page. Values as browsers send them."""

import pytest
from multidict import CIMultiDict

from channel_server.web.demo.origin import is_foreign


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost:5000"},
        {"origin": "http://LOCALHOST:5000", "sec-fetch-site": "same-origin"},
        {"Origin": "https://localhost:5000"},
    ],
)
def test_our_own_page_and_programs_are_welcome(headers):
    """curl sends neither header; a proxy that ends TLS changes only the scheme."""
    assert not is_foreign(CIMultiDict(headers), "localhost:5000")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:5000"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://elsewhere.example"},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "http://localhost"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://localhost:5000.elsewhere.example"},
        {"Origin": "http://localhost:5000@elsewhere.example"},
        {"Origin": "http://["},
        {"Origin": "null"},
        {"Origin": ""},
    ],
)
def test_pages_of_other_sites_are_foreign(headers):
    """Another port of localhost is another program, although it is the same *site*."""
    assert is_foreign(CIMultiDict(headers), "localhost:5000")
