"""Stored users and tokens: any bytes, any text."""

import contextlib
import json

from hypothesis import example, given
from hypothesis import strategies as st

from channel_server.core.users import Identity, is_token, read, rooms_of
from channel_server.errors import MalformedUser
from publisher.contract.ids import id_text
from tests.property.documents import any_bytes, values

ids = st.integers(-(2**63), 2**63 - 1) | st.text("abc019_-.:", min_size=1, max_size=64)


@given(any_bytes)
@example(b'{"id":' + b"[" * 2_000)
@example(rb'{"id":1,"name":"\ud800","group_ids":[' + b"1" * 5_000 + b"]}")
def test_any_bytes_are_a_user_or_a_visitor_and_never_crash(stored):
    """The look-up of one token must not fail because of what stands there."""
    with contextlib.suppress(MalformedUser):
        identity = read(stored)
        assert identity is None or id_text(identity.user_id) == identity.user_id


@given(values, values)
def test_whatever_is_stored_the_ids_are_ids_and_unique(user_id, group_ids):
    identity = None
    with contextlib.suppress(MalformedUser):
        identity = read(json.dumps({"id": user_id, "group_ids": group_ids}).encode())

    if identity is not None:
        everyone = (identity.user_id, *identity.group_ids)
        assert all(id_text(each) == each for each in everyone)
        assert len(set(identity.group_ids)) == len(identity.group_ids)


@given(ids, st.lists(ids, max_size=10))
def test_user_is_read_as_rails_writes_them(user_id, group_ids):
    stored = json.dumps({"name": "Ann", "group_ids": group_ids, "id": user_id}).encode()

    groups = dict.fromkeys(map(str, group_ids))
    assert read(stored) == Identity(str(user_id), tuple(groups))


@given(ids, st.lists(ids, max_size=10, unique_by=str))
def test_no_two_things_share_a_room(user_id, group_ids):
    rooms = rooms_of(Identity(user_id, tuple(group_ids)))

    assert len(set(rooms)) == len(rooms) == 2 + len(group_ids)


@given(st.text(st.characters(), max_size=50))
@example("\ud800")
@example("a\x85b")
@example("a\u2028b")
def test_what_is_taken_for_a_token_is_harmless_in_a_redis_key(text):
    """It can be encoded, and has no line break in it."""
    if is_token(text):
        assert len(text.encode().splitlines()) == len(text.splitlines()) == 1
        assert text not in {"null", "undefined"}
