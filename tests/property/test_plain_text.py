"""Our plain text against the original: html-to-text 6, asked through a pipe."""

import json
import subprocess
from random import Random

import pytest

from channel_server.bots.plain_text import plain_text
from tests.servers import binary, missing

pytestmark = pytest.mark.node

CASES = 3000
SCRIPT = """
let convert;
try { convert = require("./tests/js/node_modules/html-to-text").htmlToText; }
catch { process.exit(3); }
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(JSON.stringify(convert(JSON.parse(line), { wordwrap: false })) + "\\n");
});
"""
NOT_INSTALLED = 3

TAGS = [
    "a",
    "b",
    "i",
    "p",
    "div",
    "span",
    "h1",
    "h2",
    "h4",
    "ul",
    "ol",
    "li",
    "br",
    "hr",
    "img",
    "pre",
    "blockquote",
    "table",
    "tr",
    "td",
    "th",
    "thead",
    "tbody",
    "section",
    "body",
    "script",
    "style",
    "title",
    "svg",
    "path",
    "details",
    "summary",
    "option",
    "select",
    "input",
    "dl",
    "dt",
    "dd",
    "wbr",
    "em",
    "strong",
    "x3",
    "link",
]
ATTRIBUTES = (
    'href="https://x.org/?a=1&amp;b=2"', 'href="#x"', 'href="mailto:a@b.c"', "href=''", "href=foo",
    'HREF="Z"', 'start="9"', 'start=" 3 "', 'start=""', "start=-2", 'type="a"', 'type="A"',
    'alt="A &eacute; b"', 'alt=""', 'src="i.png"', 'src="a&amp;b"', 'class="x y"', "/", "disabled",
    "a=", '="x"',
)  # fmt: skip
TEXTS = (
    "word", "two words", " ", " lead", "trail ", "\n", "\t x \n", "&amp;", "&lt;b&gt;", "&nbsp;",
    "&eacute", "&notit;", "&#8364;", "&#x1F600;", "&#0;", "&#128;", "&#xD800;", "&#1;", "&bogus;",
    "ß", "\u200b", "\xa0", "é", "a  b", "<", "< ", ">", '"', "'", "&", "\ufeff", "\x0b", "--",
    "&#99999999999;", "&AMP", "&#13;",
)  # fmt: skip
JUNK = (
    "<!-- c -->", "<!DOCTYPE html>", "<!>", "<!->x>", "<![CDATA[ x ]]>", "<?php x ?>", "</>",
    "</ >", "<3", "<!--", "<a", "<s", "<scr", "<p ", "<![x>", "</p", "</br>", "</p>", "<!---->",
    "<!--->x-->", "<br/>", "<br / >", '<a href="x', "<x y='", "</li x>", "</ div>", "<a<b>",
    "<![CDATA[", "<?", "<!", "<script>a<b</script >", "<style>x", "</style>", "<sp", "<svg/>",
)  # fmt: skip


def documents(random, depth=0):
    """HTML as strangers write it."""
    pieces = []
    for _ in range(random.randint(1, 6)):
        kind = random.random()
        if kind < 0.4 or depth > 5:
            pieces.append(random.choice(TEXTS))
        elif kind < 0.9:
            tag = random.choice(TAGS)
            attributes = "".join(
                f" {random.choice(ATTRIBUTES)}" for _ in range(random.choice((0, 0, 0, 1, 2, 3)))
            )
            shown = tag.upper() if random.random() < 0.1 else tag
            end = random.choice((">", ">", ">", " >", "/>"))
            closing = f"</{tag}>" if random.random() < 0.85 else ""
            pieces.append(f"<{shown}{attributes}{end}{documents(random, depth + 1)}{closing}")
        else:
            pieces.append(random.choice((*JUNK, f"</{random.choice(TAGS)}>")))
    return "".join(pieces)


def test_as_the_original():
    random = Random(20211201)
    cases = [html for _ in range(CASES) if len(html := documents(random)) < 3000]
    ended = subprocess.run(
        [binary("node"), "-e", SCRIPT],
        input="".join(json.dumps(case) + "\n" for case in cases),
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == NOT_INSTALLED:
        missing("no html-to-text: make setup")
    expected = [json.loads(line) for line in ended.stdout.split("\n") if line]
    assert len(expected) == len(cases) > CASES / 2
    for html, text in zip(cases, expected, strict=True):
        assert plain_text(html) == text, html
