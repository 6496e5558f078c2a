"""What `channel-server dev` tells who tries it."""

import pytest

from channel_server.dev import _page


@pytest.mark.parametrize(
    ("host", "page"),
    [
        ("", "http://localhost:5000/"),
        ("0.0.0.0", "http://localhost:5000/"),
        ("::", "http://localhost:5000/"),
        ("127.0.0.1", "http://127.0.0.1:5000/"),
        ("::1", "http://[::1]:5000/"),
        ("unix:/run/s.sock", "what a proxy in front of unix:/run/s.sock serves"),
    ],
)
def test_the_page_is_where_the_server_listens(host, page):
    assert _page(host, 5000) == page
