"""What JSON.parse refuses; the comparison with a real one is tests/property/test_json_parse.py."""

import math

import pytest

from channel_server.core import strict_json

BOM = "\ufeff"

REFUSED = {
    "nothing": b"",
    "blanks only": b" \n",
    "NaN": b'{"a":NaN}',
    "Infinity": b"Infinity",
    "minus Infinity": b"[-Infinity]",
    "byte order mark": f'{BOM}{{"a":1}}'.encode(),
    "UTF-16": '{"a":1}'.encode("utf-16-le"),
    "UTF-16 with a mark": '{"a":1}'.encode("utf-16"),
    "UTF-32": '{"a":1}'.encode("utf-32-le"),
    "not UTF-8": b'{"a":"\xff"}',
    "surrogate as bytes": b'"\xed\xa0\x80"',
    "trailing text": b"{} {}",
    "trailing comma": b"[1,]",
    "comment": b"[1] // one",
    "single quotes": b"{'a':1}",
    "bare key": b"{a:1}",
    "leading zero": b"01",
    "leading plus": b"+1",
    "no digit after the point": b"1.",
    "no digit before the point": b".5",
    "hexadecimal": b"0x1f",
    "digits of another script": "\u0661".encode(),
    "raw control character": b'"\x00"',
    "raw line break": b'"\n"',
    "unknown escape": rb'"\x41"',
    "short escape": rb'"\u12"',
    "form feed as a blank": b"\x0c1",
    "no-break space as a blank": "\u00a01".encode(),
    "unclosed string": b'"a',
    "unclosed object": b'{"a":1',
    "Python": b"None",
    "deep nesting": b"[" * 2_000 + b"]" * 2_000,
    "deep nesting without an end": b"[" * 2_000,
}


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED.keys())
def test_what_a_browser_refuses_is_refused(document):
    with pytest.raises(ValueError, match=r"."):
        strict_json.loads(document)


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED.keys())
def test_an_escaped_lone_surrogate_opens_no_back_door(document):
    r"""Only ``\ud800`` sends a document to the second parser, which is laxer by itself."""
    with pytest.raises(ValueError, match=r"."):
        strict_json.loads(b'["\\ud800",' + document + b"]")


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (b'{"a":[1,2.5,-0.0,true,false,null,"b"]}', {"a": [1, 2.5, -0.0, True, False, None, "b"]}),
        (b' \t\r\n{"a" : 1} \n', {"a": 1}),
        (b'"text"', "text"),
        (b"1E+2", 100.0),
        (rb'"\ud83d\ude00"', "\N{GRINNING FACE}"),
        (b'"\x7f"', "\x7f"),
        (rb'"\u0000"', "\0"),
        ('"\u2028"'.encode(), "\u2028"),
        (b'{"__proto__":1,"":2}', {"__proto__": 1, "": 2}),
    ],
)
def test_what_a_browser_accepts_is_accepted(document, value):
    assert strict_json.loads(document) == value


@pytest.mark.parametrize("escape", [rb"\ud800", rb"\uDFFF", rb"\uDbfFx\udC00"])
def test_escaped_lone_surrogate_is_accepted_as_in_a_browser(escape):
    """Ruby writes one when an emoji is cut in half; the browser shows a replacement sign."""
    document = b'{"title":"' + escape + b'"}'

    title = strict_json.loads(document)["title"]

    assert any("\ud800" <= character <= "\udfff" for character in title)


def test_last_of_two_equal_keys_counts_as_in_a_browser():
    """The room that is read here must be the room that the browser reads."""
    assert strict_json.loads(b'{"room":"a","room":"b"}') == {"room": "b"}
    assert strict_json.loads(rb'{"room":"a","room":"b","x":"\ud800"}')["room"] == "b"


def test_integer_beyond_64_bits_becomes_a_float():
    assert math.isclose(
        strict_json.loads(b"123456789012345678901234567890"), 1.2345678901234568e29
    )


def test_integers_up_to_64_bits_stay_exact():
    assert strict_json.loads(b"[18446744073709551615,-9223372036854775808]") == [
        2**64 - 1,
        -(2**63),
    ]


@pytest.mark.parametrize("inner", [b"1", b'"\\ud800"', b'"\\\\ud800"'])
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_1024_brackets_may_be_nested_on_every_python(opening, inner):
    """On Python 3.13 2,000 brackets around a lone surrogate passed; on 3.11 a thousand did not."""
    closing = b"]" if opening == b"[" else b"}"

    assert strict_json.loads(opening * 1024 + inner + closing * 1024)
    with pytest.raises(ValueError, match=r"recursion|depth|nested|limit"):
        strict_json.loads(opening * 1025 + inner + closing * 1025)
