"""Several commands that do one thing: what is sent, and what follows from each answer."""

import logging

import pytest

from publisher.command import Command
from publisher.contract.journal import JOURNAL, SENT, STATE
from publisher.errors import RedisRefused, RedisUnavailable, ReplyLost
from publisher.journaling import Journaling
from publisher.messages import records_commands
from publisher.rooms import rooms_of
from publisher.scripts import PUBLISH
from publisher.tokens import revoke_steps

(PLAIN,) = records_commands({"a": []}, rooms_of(group_id=7))
LOST = ReplyLost("lost")


def refused(code, **more):
    return RedisRefused(code, "advice", **more)


NO_SCRIPTS = refused("NOPERM", prevents_scripts=True)


def play(steps, *answers):
    """Give answers, or throw errors, to some steps. Return the commands and the result."""
    commands = [next(steps)]
    try:
        for answer in answers:
            if isinstance(answer, Exception):
                commands.append(steps.throw(answer))
            else:
                commands.append(steps.send(answer))
    except StopIteration as end:
        return commands, end.value
    raise AssertionError("not at the end")


@pytest.fixture
def journaling():
    return Journaling(is_wanted=True)


def names(commands):
    return [command.words[0] for command in commands]


def test_a_message_is_one_script_with_a_message_id_of_its_own(journaling):
    (one,), result = play(journaling.publish(PLAIN), 3)
    (two,), _ = play(journaling.publish(PLAIN), 3)

    assert result == 3
    name, sha1, count, journal, state, sent, channel, payload, epoch, is_kept = one.words
    assert (name, sha1, count, journal, state) == ("EVALSHA", PUBLISH.sha1, 3, JOURNAL, STATE)
    assert (channel, payload, is_kept) == ("/records", PLAIN.words[2], 1)
    assert sent.startswith(SENT)
    assert sent != two.words[5]
    assert len(epoch) == 8


def test_a_lost_answer_is_asked_for_again_with_the_same_message_id(journaling):
    commands, result = play(journaling.publish(PLAIN), LOST, LOST, 2)

    assert result == 2
    assert len({command.words for command in commands}) == 1


def test_three_lost_answers_are_an_error(journaling):
    steps = journaling.publish(PLAIN)
    next(steps)
    steps.throw(LOST)
    steps.throw(LOST)

    with pytest.raises(ReplyLost):
        steps.throw(LOST)


def test_a_script_that_redis_does_not_know_is_sent_in_full(journaling):
    commands, result = play(journaling.publish(PLAIN), refused("NOSCRIPT"), 1)

    assert names(commands) == ["EVALSHA", "EVAL"]
    assert commands[1].words[1] == PUBLISH.source
    assert commands[0].words[2:] == commands[1].words[2:]
    assert result == 1


def test_nobody_there_is_an_error_at_once(journaling):
    steps = journaling.publish(PLAIN)
    next(steps)

    with pytest.raises(RedisUnavailable):
        steps.throw(RedisUnavailable("away"))


def test_where_scripts_are_forbidden_it_is_said_once_and_published_plainly(journaling, caplog):
    caplog.set_level(logging.WARNING)

    commands, result = play(journaling.publish(PLAIN), NO_SCRIPTS, 4)
    later, _ = play(journaling.publish(PLAIN), 4)

    assert commands[1:] == later == [PLAIN]
    assert result == 4
    assert len(caplog.records) == 1


def test_after_a_minute_scripts_are_tried_again():
    now = [0.0]
    journaling = Journaling(is_wanted=True, clock=lambda: now[0])
    play(journaling.publish(PLAIN), NO_SCRIPTS, 4)

    now[0] = 59.9
    assert names(play(journaling.publish(PLAIN), 4)[0]) == ["PUBLISH"]
    now[0] = 60.0
    assert names(play(journaling.publish(PLAIN), 4)[0]) == ["EVALSHA"]
    now[0] = 61.0
    assert names(play(journaling.publish(PLAIN), 4)[0]) == ["EVALSHA"]


def test_without_scripts_nobody_listening_is_an_error(journaling):
    """Found by a user with rights to a part of the keys: nothing was kept, and 0 was the answer."""
    play(journaling.publish(PLAIN), NO_SCRIPTS, 1)
    steps = journaling.publish(PLAIN)
    next(steps)

    with pytest.raises(RedisRefused, match=r"advice; nothing is kept, .* the message is lost"):
        steps.send(0)


def test_what_a_script_could_not_do_is_said_once(journaling, caplog):
    refusal = b"ERR ACL failure in script: No permissions to access a channel"

    for _ in range(2):
        _, result = play(journaling.publish(PLAIN), [0, refusal])

    (record,) = caplog.records
    assert result == 0
    assert "ACL SETUSER <user> +publish &/records" in record.getMessage()


def test_what_can_neither_be_kept_nor_published_is_an_error(journaling):
    steps = journaling.publish(PLAIN)
    next(steps)

    with pytest.raises(RedisRefused, match=r"&/system_notice .*; the message is lost"):
        steps.send([-1, b"ERR ACL failure in script: No permissions to access a channel"])


@pytest.mark.parametrize("code", ["OOM", "LOADING", "ERR"])
def test_other_refusals_are_errors(journaling, code):
    steps = journaling.publish(PLAIN)
    next(steps)

    with pytest.raises(RedisRefused):
        steps.throw(refused(code))


def test_a_replica_is_asked_twice(journaling):
    """A new connection may lead to the primary."""
    steps = journaling.publish(PLAIN)
    first = next(steps)

    assert steps.throw(refused("READONLY")) is first
    with pytest.raises(RedisRefused, match="READONLY"):
        steps.throw(refused("READONLY"))


def test_a_message_that_is_neither_kept_nor_heard_is_an_error(journaling):
    """Found by trying: it was lost without a word."""
    steps = journaling.publish(PLAIN)
    next(steps)

    with pytest.raises(RedisRefused, match="is lost"):
        steps.send(-1)


@pytest.mark.parametrize(
    ("is_wanted", "is_kept", "flag"), [(False, True, 0), (True, False, 0), (True, True, 1)]
)
def test_what_is_not_kept_is_published_on_a_primary_all_the_same(is_wanted, is_kept, flag):
    commands, heard = play(Journaling(is_wanted=is_wanted).publish(PLAIN, is_kept=is_kept), 1)

    assert names(commands) == ["EVALSHA"]
    assert flag in commands[0].words
    assert commands[0].words[9] == flag
    assert heard == 1


def test_a_message_for_nobody_is_plain(journaling):
    """It is private: nobody will ever be shown it, so it is not kept."""
    (nobody,) = records_commands({"a": []}, rooms_of(to_nobody=True))

    commands, _ = play(journaling.publish(nobody), 0)

    assert commands == [nobody]


def test_revoking_without_scripts_deletes_and_then_orders(journaling):
    commands, result = play(revoke_steps(journaling, "t"), NO_SCRIPTS, 1, 2)

    assert names(commands) == ["EVALSHA", "DEL", "PUBLISH"]
    assert commands[1] == Command(("DEL", "/current_users/t"))
    assert commands[2].words[1] == "/channel_control"
    assert result == 1


def test_what_cannot_be_done_without_scripts_is_an_error(journaling):
    steps = journaling.run(PUBLISH, ())
    next(steps)

    with pytest.raises(RedisRefused):
        steps.throw(NO_SCRIPTS)
