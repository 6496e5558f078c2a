"""The OpenAPI document, held against the API by schemathesis."""

import subprocess

import pytest

from tests.internal.site import KEY
from tests.servers import binary

pytestmark = [pytest.mark.redis]


def test_it_describes_every_operation(server):
    described = server.ask("/api/openapi.json", key=KEY)

    assert described.status == 200
    assert described.body["openapi"].startswith("3.1")
    assert {
        "/api/groups/{group_id}/publish",
        "/api/users/{user_id}/publish",
        "/api/notice",
        "/api/users/{user_id}/disconnect",
        "/api/users/{user_id}/groups",
        "/api/users/{user_id}",
        "/api/info",
        "/api/history",
        "/api/rooms",
        "/api/rooms/{room}",
        "/api/journal",
        "/api/drain",
    } == set(described.body["paths"])


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(
            ["--exclude-path-regex=drain|publish|groups$", "--exclude-checks=ignored_auth"],
            id="most",
        ),
        # JSON Schema takes 7.0 for an integer, and has no words for what cannot be published:
        # 65 bits, half a character.
        pytest.param(
            [
                "--include-path-regex=publish|groups$",
                "--exclude-checks=ignored_auth,positive_data_acceptance",
            ],
            id="free JSON",
        ),
    ],
)
def test_it_tells_the_truth(server, tmp_path, options):
    """Hundreds of requests, right and wrong: every answer is as described, and never a 500.

    Not of ``drain``, which would end the server, and not with wrong keys, which would have to wait:
    both are in test_api.py.
    """
    outcome = subprocess.run(
        [
            binary("schemathesis"),
            "run",
            f"http://127.0.0.1:{server.admin_port}/api/openapi.json",
            "--header",
            f"Authorization: Bearer {KEY}",
            "--max-examples=25",
            "--seed=1",
            "--no-color",
            *options,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert server.ask("/api/info", key=KEY).status == 200
    assert not server.lines("Traceback")
