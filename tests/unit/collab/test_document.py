"""How large a document may become: what was deleted or replaced does not count, where it can be dropped."""

import pycrdt
import pytest

from channel_server.collab.document import Document, Verdict

LIMIT = 100_000


class Nobody:
    def changed(self, document, update, *, is_ours):
        pass


class Writer:
    """Replaces one value again and again, with a history that nobody else has."""

    def __init__(self):
        self._doc = pycrdt.Doc()
        self._map = self._doc.get("m", type=pycrdt.Map)
        self._updates = []
        self._doc.observe(lambda event: self._updates.append(event.update))

    def says(self, value):
        self._map["s"] = value
        return self._updates[-1]


def run(steps, jobs=None):
    """Do all jobs here; note their names."""
    try:
        job = next(steps)
        while True:
            if jobs is not None:
                jobs.append(job.name)
            job = steps.send(job.run())
    except StopIteration as done:
        return done.value


def seen(content):
    doc = pycrdt.Doc()
    doc.apply_update(content)
    return doc.get("m", type=pycrdt.Map)["s"]


@pytest.fixture
def opened(clock):
    return Document("d", None, max_bytes=LIMIT, watcher=Nobody(), clock=clock)


@pytest.fixture
def writer():
    return Writer()


def test_history_does_not_count(opened, writer):
    for letter in "abcdefg":
        assert run(opened.apply(writer.says(letter * 20_000))) is Verdict.NEWS

    content = run(opened.updates.snapshot())
    assert len(content) < LIMIT
    assert seen(content) == "g" * 20_000


def test_what_replaces_nearly_all_fits(opened, writer):
    for letter in "ab":
        assert run(opened.apply(writer.says(letter * 60_000))) is Verdict.NEWS

    assert seen(run(opened.updates.snapshot())) == "b" * 60_000


def test_what_lives_counts(opened, writer):
    assert run(opened.apply(writer.says("a" * 60_000))) is Verdict.NEWS
    assert run(opened.apply(writer.says("b" * 110_000))) is Verdict.TOO_LARGE

    assert seen(run(opened.updates.snapshot())) == "a" * 60_000


def test_a_small_value_after_a_large_one_makes_room(opened, writer, clock):
    """Little room was left then; that does not count any more when it has gone."""
    for value in ("a" * 97_000, "b" * 97_000, "c"):
        assert run(opened.apply(writer.says(value))) is Verdict.NEWS
    refused = writer.says("d" * 5_000)
    assert run(opened.apply(refused)) is Verdict.TOO_LARGE
    clock.advance(10)

    assert run(opened.apply(refused)) is Verdict.NEWS


def test_what_other_nodes_take_is_compacted_and_never_refused(opened, writer):
    for _ in range(50):
        assert run(opened.apply(writer.says("a" * 20_000), is_ours=False)) is Verdict.NEWS

    assert opened.updates.size < 2 * LIMIT


def test_characters_that_javascript_writes_as_two_are_left_alone(opened, writer):
    """yrs cannot keep one half of one."""
    verdicts = [run(opened.apply(writer.says("\N{GRINNING FACE}" * 5_000))) for _ in range(6)]

    assert verdicts[-1] is Verdict.TOO_LARGE


def test_what_does_not_get_smaller_is_not_tried_again(opened, writer):
    for _ in range(5):
        run(opened.apply(writer.says("\N{GRINNING FACE}" * 5_000)))
    jobs = []

    assert run(opened.apply(writer.says("\N{GRINNING FACE}" * 500)), jobs) is Verdict.NEWS
    assert run(opened.apply(writer.says("\N{GRINNING FACE}" * 5_000)), jobs) is Verdict.TOO_LARGE
    assert "compact" not in jobs


def test_what_came_meanwhile_stays(opened, writer):
    """The job takes its time in the sandbox; others write on."""
    for letter in "abcd":
        run(opened.apply(writer.says(letter * 22_000)))
    other = pycrdt.Doc()
    other.get("t", type=pycrdt.Text).insert(0, "meanwhile")
    steps = opened.apply(writer.says("e" * 22_000))
    job = next(steps)
    while job.name != "compact":
        job = steps.send(job.run())

    assert run(opened.apply(other.get_update())) is Verdict.NEWS
    with pytest.raises(StopIteration) as done:
        steps.send(job.run())

    assert done.value.value is Verdict.NEWS
    content = run(opened.updates.snapshot())
    doc = pycrdt.Doc()
    doc.apply_update(content)
    assert str(doc.get("t", type=pycrdt.Text)) == "meanwhile"
    assert seen(content) == "e" * 22_000
