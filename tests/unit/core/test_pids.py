"""Whose a pid is, and where it was given."""

import pytest

from channel_server.core import offsets, pids
from channel_server.core.users import Identity

SID, OFFSET, SECRET = "abcdefghijklmnopqrst", "e1:5-0", b"secret"
ANN, BEN = Identity("5", ()), Identity("6", ())


@pytest.mark.parametrize("giver", [ANN, BEN, None])
@pytest.mark.parametrize("shower", [ANN, BEN, None])
def test_a_pid_belongs_to_whom_it_was_given(giver, shower):
    pid = pids.read(pids.make(SID, OFFSET, giver, SECRET))

    assert pid.is_of(shower, SECRET) == (giver == shower)


def test_a_pid_belongs_to_a_user_whatever_groups_it_is_in():
    pid = pids.read(pids.make(SID, OFFSET, Identity("5", ("1", "2")), SECRET))

    assert pid.is_of(Identity("5", ("3",)), SECRET)


def test_without_the_secret_nobody_can_tell_whose_a_pid_is():
    pid = pids.read(pids.make(SID, OFFSET, ANN, SECRET))

    assert not pid.is_of(ANN, b"another")


def test_two_pids_of_a_user_have_no_seal_in_common():
    one, other = (pids.make(sid, OFFSET, ANN, SECRET)[8:16] for sid in (SID, SID[::-1]))

    assert one != other


def test_a_pid_knows_where_it_was_given():
    pid = pids.read(pids.make(SID, OFFSET, ANN, SECRET))

    assert pid.offset == offsets.read(OFFSET)
    assert pid.text.startswith(SID[:8])


@pytest.mark.parametrize(
    "text", [None, 5, "", "p", "p" * 16, "p" * 16 + ".x", "p" * 15 + ".e1:5-0"]
)
def test_what_cannot_be_a_pid_is_none(text):
    assert pids.read(text) is None
