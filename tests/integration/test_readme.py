"""What the README shows is run here, so that it stays true."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from channel_server.admin_config import AdminSettings
from channel_server.collab_config import CollabSettings
from channel_server.config import Settings
from publisher import Publisher
from publisher.contract import CURRENT_USERS, RECORDS, SYSTEM_NOTICE
from tests.servers import binary

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
OF_THE_PUBLISHER = {"CACHE_REDIS_EXPIRE", "PUBLISHER_TIMEOUT", "REDIS_POOL_SIZE"}


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_python_example_publishes_what_it_says(redis_server):
    example, _ = blocks("python")
    names = {}

    with redis_server.listen(RECORDS, SYSTEM_NOTICE) as listener:
        exec(example.replace("redis://localhost:6379/0", redis_server.url), names)
        messages = [json.loads(payload) for _, payload in listener.heard()]

    assert messages[0]["room"] == "group-1"
    assert messages[1]["notice"] == "We are back in five minutes."
    with redis_server.client() as client:
        assert json.loads(client.get(CURRENT_USERS + names["token"]))["id"] == 7


def test_python_example_changes_rights_as_it_says(redis_server):
    _, example = blocks("python")
    with Publisher.from_url(redis_server.url) as publisher, redis_server.client() as client:
        token = publisher.tokens.issue({"id": 7, "name": "Ann"}, group_ids=[2])
        first, _, last = example.partition("    publisher.disconnect_user")

        exec(first.replace("redis://localhost:6379/0", redis_server.url), {})
        assert json.loads(client.get(CURRENT_USERS + token))["group_ids"] == [1, 3]
        exec(example.replace("redis://localhost:6379/0", redis_server.url), {})
        assert client.get(CURRENT_USERS + token) is None
    assert "tokens.revoke_user(7)" in last


@pytest.mark.parametrize(
    "line", [line for line in blocks("sh")[4].splitlines() if "tail" not in line]
)
def test_command_line_example_works(line, redis_server):
    program, *arguments = shlex.split(line)

    done = subprocess.run(
        [binary(program), *arguments],
        env=os.environ | {"REDIS_URL": redis_server.url},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_every_make_target_that_is_shown_exists():
    makefile = (ROOT / "Makefile").read_text()

    for document in DOCUMENTS:
        for target in re.findall(r"^make (\w+)", document.read_text(), re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_configuration_table_lists_the_variables_that_are_read_and_no_others():
    listed = {
        name
        for row in re.findall(r"^\| (`[A-Z].*?) \|", README, re.MULTILINE)
        for name in re.findall(r"`([A-Z_]+)`", row)
    }
    documented = Settings.__doc__ + CollabSettings.__doc__ + AdminSettings.__doc__
    read = set(re.findall(r"``([A-Z][A-Z_]+)``", documented)) - {"DEBUG"}

    assert listed == read | OF_THE_PUBLISHER


def test_every_setting_names_its_variable():
    for field in fields(Settings):
        assert re.search(rf"^        {field.name}: ``[A-Z]", Settings.__doc__, re.MULTILINE), field
    for field in fields(CollabSettings):
        assert f"        {field.name}: " in CollabSettings.__doc__, field


def test_every_link_leads_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!http)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_version_of_the_command_is_the_package_version():
    done = subprocess.run(
        [sys.executable, "-m", "channel_server", "--version"],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert done.stdout.strip() == "0.1.0"
