"""HTML as text: what html-to-text 6 made of it, measured."""

import pytest

from channel_server.bots.plain_text import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>Head</h1><h3>Sub é</h3><p>para</p>", "HEAD\n\n\nSUB É\n\npara"),
        ("<h5>a</h5><h5>b</h5>", "A\n\nB"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ('<a href="https://x.org">text</a>', "text [https://x.org]"),
        ('<a href="https://x.org"><b>x</b> y</a>', "x y [https://x.org]"),
        ("<a>no href</a>", "no href"),
        ('<a href="#top">here</a>', "here"),
        ('<a href="https://x.org/?a&amp;b"></a>', "https://x.org/?a&b"),
        ('<a href="mailto:a@b.c">a@b.c</a>', "a@b.c [a@b.c]"),
        (
            "<ul><li>one</li><li>two<ul><li>nested</li></ul></li></ul>",
            " * one\n * two\n   * nested",
        ),
        ('<ol start="9"><li>nine</li><li>ten</li></ol>', " 9.  nine\n 10. ten"),
        ('<ol type="a"><li>x</li><li>y</li></ol>', " a. x\n b. y"),
        ('<ol type="I" start="3"><li>x</li><li>y</li></ol>', " III. x\n IV.  y"),
        ('<ol start="x"><li>y</li></ol>', " NaN. y"),
        ("<ul> <!-- c --> <li>x</li></ul>", "   \n * x"),
        ("<ul></ul>x", "x"),
        ("<blockquote>quoted<br>more</blockquote>after", "> quoted\n> more\n\nafter"),
        ('<img src="https://x/i.png">', "[https://x/i.png]"),
        ('<img alt="A" src="https://x/i.png">', "A [https://x/i.png]"),
        ('<img alt="&eacute;">', "é"),
        ("<table><tr><th>H1</th><th>H2</th></tr><tr><td>a</td><td>b</td></tr></table>", "H1H2ab"),
        ("<pre>  keep\n   this<br>x</pre>", "  keep\n   this\nx"),
        ("&lt;b&gt; &amp; &nbsp;nbsp &quot; &#39; &eacute; 😀", "<b> & \xa0nbsp \" ' é 😀"),
        (
            "&#128;&#x1F600;&#0;&#xD800;&#99999999999;&bogus;&notit;",
            "€😀\ufffd\ufffd\ufffd&bogus;¬it;",
        ),
        ("  leading\n\n  white   space  ", "leading white space"),
        ("<div>d1</div><div>d2</div>", "d1\nd2"),
        ("<span>a</span> <span>b</span>", "a b"),
        ("<b>a</b>b", "ab"),
        ("<script>x()</script><style>p{}</style>t", "t"),
        ("<!-- c -->t", "t"),
        ("<p></p><p>x</p>", "x"),
        ("<p>x</p><p></p>", "x\n\n"),
        ("a<hr>b", f"a\n\n{'-' * 40}\n\nb"),
        ("<h2><a href='https://l/d/1'>Title</a></h2>", "TITLE [https://l/d/1]"),
        (f"<p>{'word ' * 60}</p>", " ".join(["word"] * 60)),
        ("<p>a<p>b", "a\n\nb"),
        ("a &lt;b", "a <b"),
        ("a < b", "a < b"),
        ("<html><head><title>T</title></head><body>B</body></html>after", "B"),
        ("<section><article>in</article></section>", "in"),
        ("<details><summary>S</summary>body</details>", "Sbody"),
        ("<p>tab\tand\nnewline</p>", "tab and newline"),
        ("a</br>b</p>c", "a\nb\n\n\n\nc"),
        ("", ""),
    ],
)
def test_text(html, text):
    assert plain_text(html) == text


def test_nothing_is_too_deep():
    assert plain_text("<div>" * 10_000 + "x" + "</div>" * 10_000) == "x"


@pytest.mark.parametrize("piece", ["<b>", "</b>", "<p>x", "<", "&", "<a href='", "<!--", "x<br>"])
def test_nothing_takes_long(piece):
    # 60,000 bytes are what a Matrix event holds; the test's own time limit is the bar.
    assert isinstance(plain_text(piece * (60_000 // len(piece))), str)
