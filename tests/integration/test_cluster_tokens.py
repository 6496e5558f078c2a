"""Calls about one user's tokens whose steps alternate, as in a cluster, where they are no scripts."""

import random

import pytest

from publisher.contract import CURRENT_USERS
from publisher.contract.journal import TOKENS
from publisher.journaling import Journaling
from publisher.scripts import PUBLISH
from publisher.token_scripts import FORGET, NOTE, REGROUP
from publisher.tokens import issue_steps, replace_groups_steps, revoke_user_steps

pytestmark = pytest.mark.redis

JOURNALING = Journaling(is_wanted=False, is_cluster=True)
SOURCES = {script.sha1: script.source for script in (FORGET, NOTE, PUBLISH, REGROUP)}
ANN = {"id": 5, "name": "Ann"}


def issue(token):
    return issue_steps(JOURNALING, token, ANN, [1], 60)


CALLS = {
    "two page loads": lambda: [issue("aaaa"), issue("bbbb")],
    "a page load and a log-out": lambda: [issue("aaaa"), revoke_user_steps(JOURNALING, 5)],
    "a page load and new groups": lambda: [
        issue("aaaa"),
        replace_groups_steps(JOURNALING, 5, [2]),
    ],
}


def play(raw, calls, order):
    """Take the steps of all calls, in a random order; return when all have ended."""
    next_commands = {call: next(call) for call in calls}
    while next_commands:
        call = order.choice(list(next_commands))
        words = next_commands[call].words
        if words[0] == "EVALSHA":
            words = ("EVAL", SOURCES[words[1]], *words[2:])
        try:
            next_commands[call] = call.send(raw.execute_command(*words))
        except StopIteration:
            del next_commands[call]


@pytest.mark.parametrize("calls", CALLS)
def test_each_token_that_is_valid_can_be_revoked(redis_server, calls):
    """A tenth of the orders left one that no log-out could find."""
    with redis_server.client(db=3) as raw:
        for seed in range(200):
            raw.flushdb()
            play(raw, CALLS[calls](), random.Random(seed))

            valid = {
                key.removeprefix(CURRENT_USERS.encode()) for key in raw.keys("/current_users/*")
            }
            assert valid <= raw.smembers(f"{TOKENS}5")
