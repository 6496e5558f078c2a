"""What the scripts of the demo page may not do."""

import pytest

from channel_server.web.demo.files import page_files

SCRIPTS = [path for path in page_files() if path.suffix == ".js"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "word", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
)
def test_scripts_never_parse_data_as_html(path, word):
    """A published text is shown to other people: as text, whatever is in it."""
    assert word not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", page_files(), ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(path):
    """The policy header forbids it; this finds it without a browser. One name space is no address."""
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")

    assert "http:" not in text
    assert "https:" not in text
