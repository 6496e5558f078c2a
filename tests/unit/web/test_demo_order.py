"""What the publish form may send, and what is refused with which words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel_server.web.demo import order
from channel_server.web.demo.order import BadOrder, NoticeOrder, RecordsOrder


def encoded(**fields):
    return json.dumps(fields).encode()


@pytest.mark.parametrize(("group_id", "user_id"), [(2, None), (None, 1), (2, 1), (None, None)])
def test_records_go_to_a_group_a_user_both_or_nobody(group_id, user_id):
    """The publisher decides what both mean, as Rails does; neither is the null room."""
    body = encoded(kind="records", text="hi", group_id=group_id, user_id=user_id)

    assert order.read(body) == RecordsOrder(text="hi", group_id=group_id, user_id=user_id)


def test_a_missing_id_is_null():
    """Leaving an id out can never widen who receives the records."""
    body = encoded(kind="records", text="hi")

    assert order.read(body) == RecordsOrder(text="hi", group_id=None, user_id=None)


@pytest.mark.parametrize("reload", [True, False])
def test_a_notice_may_ask_for_a_reload(reload):
    body = encoded(kind="notice", text="hi", reload=reload)

    assert order.read(body) == NoticeOrder(text="hi", reload=reload)


def test_a_notice_asks_for_no_reload_unless_told():
    assert order.read(encoded(kind="notice", text="hi")) == NoticeOrder(text="hi", reload=False)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"kind":"notice","text":"\xff"}', "not JSON"),
        (b'{"kind":"notice","text":"\\ud800"}', "not JSON"),
        (b"[]", "object"),
        (b"null", "object"),
        (encoded(text="hi"), "kind"),
        (encoded(kind="update", text="hi"), "kind"),
        (encoded(kind=["records"], text="hi"), "kind"),
        (encoded(kind="records"), "text"),
        (encoded(kind="records", text=None), "text"),
        (encoded(kind="records", text=" \n"), "text"),
        (encoded(kind="notice", text=""), "text"),
        (encoded(kind="notice", text="x" * 10_001), "text"),
        (encoded(kind="records", text="hi", group_id=0), "group_id"),
        (encoded(kind="records", text="hi", group_id=-1), "group_id"),
        (encoded(kind="records", text="hi", group_id=True), "group_id"),
        (encoded(kind="records", text="hi", group_id="2"), "group_id"),
        (encoded(kind="records", text="hi", group_id=2.0), "group_id"),
        (encoded(kind="records", text="hi", user_id=[]), "user_id"),
        (encoded(kind="notice", text="hi", reload=1), "reload"),
        (encoded(kind="notice", text="hi", reload=None), "reload"),
    ],
)
def test_a_bad_order_is_refused_with_the_field_at_fault(body, reason):
    with pytest.raises(BadOrder, match=reason):
        order.read(body)


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.dictionaries(st.sampled_from(["kind", "text", "group_id"]), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_whatever_arrives_is_read_or_refused(body):
    """No other error may leave ``read``: it would be a status 500 for somebody else's mistake."""
    try:
        read = order.read(body)
    except BadOrder:
        return
    assert isinstance(read, RecordsOrder | NoticeOrder)
