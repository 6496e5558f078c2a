"""What we take from a client, yjs takes, too: nobody can make a document that no browser opens."""

import json
import random
import subprocess

import pycrdt
import pytest

from channel_server.collab.merging import check
from channel_server.errors import BrokenUpdate
from tests.collab.servers import JS, NODE

pytestmark = [pytest.mark.node, pytest.mark.slow]

MUTATIONS = 40_000


def edits():
    """Updates with all kinds of content."""
    document = pycrdt.Doc(client_id=7)
    updates = []
    subscription = document.observe(lambda event: updates.append(event.update))
    text = document.get("t", type=pycrdt.Text)
    text += "Hello"
    text.insert(2, "world")
    text.format(0, 4, {"bold": True})
    text.insert_embed(1, {"image": "x"})
    del text[2:4]
    fragment = document.get("default", type=pycrdt.XmlFragment)
    paragraph = fragment.children.append(pycrdt.XmlElement("paragraph"))
    paragraph.attributes["level"] = "1"
    paragraph.children.append("inner")
    config = document.get("config", type=pycrdt.Map)
    config["value"] = {"list": [1, -2.5, None, "x", b"y"]}
    config["map"] = pycrdt.Map({"a": 1})
    config["list"] = pycrdt.Array(["a", "b"])
    document.unobserve(subscription)
    return [*updates, document.get_update()]


def mutations(roll):
    """Honest updates in which some bytes are others, or missing, or more."""
    honest = edits()
    for _ in range(MUTATIONS):
        update = bytearray(roll.choice(honest))
        for _ in range(roll.randrange(1, 4)):
            at = roll.randrange(len(update))
            update[at : at + roll.randrange(3)] = roll.randbytes(roll.randrange(3))
            if not update:
                break
        yield bytes(update)


def is_taken(update):
    try:
        check(update).run()
    except BrokenUpdate:
        return False
    return True


def test_yjs_takes_whatever_is_taken():
    taken = {update.hex() for update in [*edits(), *filter(is_taken, mutations(random.Random(1)))]}
    done = subprocess.run(
        [NODE, JS / "collab" / "takes.mjs"],
        input="\n".join(taken),
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )

    assert len(taken) > 1_000
    assert all(map(is_taken, edits()))
    assert json.loads(done.stdout) == []
