"""The doctor tries every command of Redis that the server needs."""

import re
from pathlib import Path

from channel_server.adapters import examination

ROOT = Path(examination.__file__).parents[2]
_CALL = re.compile(r"redis\.p?call\('([A-Z]+)'")


def test_every_command_of_our_scripts_is_tried():
    sources = [*ROOT.glob("channel_server/adapters/*.py"), *ROOT.glob("publisher/**/*.py")]
    used = {
        command
        for source in sources
        if source.name != "examination.py"
        for command in _CALL.findall(source.read_text())
    }
    tried = set(_CALL.findall(Path(examination.__file__).read_text()))

    assert len(used) > 20
    assert used <= tried
