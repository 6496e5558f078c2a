"""The same scenario against our server and the real one: every client is told the same."""

import pytest

from tests.collab.servers import play

pytestmark = [pytest.mark.node, pytest.mark.timeout(150)]

SCENARIOS = (
    "join",
    "edit",
    "second client",
    "awareness",
    "hundred edits at once",
    "undo",
    "dropped socket",
    "restart",
    "carets after a restart",
    "unload and reload",
    "rejected token",
    "read only",
    "several documents",
)

HARMLESS = {"a bare pong", "refused, then accepted"}
"""Provider 4 alone knows a bare pong, and 3.4 closes for it; and 3.4 never asks again about a client
that it has refused, as 4 does."""


@pytest.mark.parametrize("provider", ["2", "3", "4"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_clients_are_told_the_same(ours, reference, scenario, provider):
    assert play(ours, scenario, provider) == play(reference, scenario, provider)


def test_raw_frames_are_answered_the_same(ours, reference):
    expected = play(reference, "raw frames", "3")
    answers = {case: len(each["heard"]) for case, each in expected.items()}
    told = play(ours, "raw frames", "3", expected=answers)

    different = {
        case: (told[case], expected[case]) for case in told if told[case] != expected[case]
    }
    assert len(told) > len(HARMLESS)
    assert different.keys() == HARMLESS, different
