"""Query strings: any text, and what a browser makes of any pairs."""

from urllib.parse import quote, urlencode

from hypothesis import given
from hypothesis import strategies as st

from channel_server.engine.http import read_query

names = st.text("abcdefgEIO_", min_size=1, max_size=5)
encodable = st.text(max_size=10)


@given(st.text(st.characters(), max_size=50) | st.text("ab=&%+0fF", max_size=20))
def test_any_query_is_read_and_never_crashes(text):
    query = read_query(text)

    assert all(isinstance(value, str) for value in query.values())


@given(st.dictionaries(names, encodable, min_size=1))
def test_values_are_decoded_as_a_browser_encodes_them(pairs):
    assert read_query(urlencode(pairs)) == pairs
    assert read_query(urlencode(pairs, quote_via=quote)) == pairs


@given(st.lists(st.tuples(names, encodable), min_size=1))
def test_last_of_a_repeated_name_counts(pairs):
    assert read_query(urlencode(pairs)) == dict(pairs)
