"""JSON documents, good ones and nearly good ones."""

import json

from hypothesis import strategies as st

# Surrogates only as an escape: there are no bytes for them in UTF-8.
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["room", "id", "group_ids", "a"]) | texts, inner)
    ),
    max_leaves=8,
)
good = st.builds(
    lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only).encode(),
    values,
    st.booleans(),
)
snippets = st.sampled_from(
    [
        rb'"\ud800"',
        rb'"\udfff\ud800"',
        rb'"\ud83d\ude00"',
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"-",
        b"0",
        b"01",
        b"1.",
        b".5",
        b"1e5",
        b"1E+05",
        b"+1",
        b"18446744073709551616",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc2\xa0",
        b"\xe2\x80\xa8",
        b"\x00",
        b"\x1f",
        b"\x7f",
        b"\n",
        b"\x0b",
        b"\x0c",
        b" ",
        b"[",
        b"]",
        b"{",
        b"}",
        b":",
        b",",
        b'"',
        b"\\",
        rb"\u",
        rb"\u12",
        rb"\uD83",
        rb"\x41",
        rb"\/",
        b"'a'",
        b"//",
        b"/**/",
        b"true",
        b"True",
        b"undefined",
        b'"room":"b"',
        b'"__proto__":{"room":"c"}',
    ]
)


@st.composite
def changed(draw):
    """A good document with pieces put in, cut out or doubled."""
    document = draw(good)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(document)))
        end = min(len(document), start + draw(st.integers(0, 3)))
        document = document[:start] + draw(snippets | st.just(b"")) + document[end:]
    return document


# A list of snippets is valid more often than what was changed at random.
collected = st.lists(good | snippets, max_size=4).map(lambda parts: b"[" + b",".join(parts) + b"]")
addressed = st.lists(good | snippets, min_size=1, max_size=3).map(
    lambda parts: b'{"room":' + b',"room":'.join(parts) + b"}"
)
any_bytes = st.binary(max_size=60) | good | changed() | collected | addressed
