"""The content of a document as bytes."""

import pycrdt
import pytest

from channel_server.collab.merging import LIGHT_BYTES, Job, compact, merge, run_light
from channel_server.collab.messages import EMPTY_UPDATE
from channel_server.collab.updates import Updates
from channel_server.errors import BrokenUpdate


def finish(steps):
    """Run steps here, whatever they cost."""
    try:
        job = next(steps)
        while True:
            job = steps.send(job.run())
    except StopIteration as done:
        return done.value


def keystrokes(count, *, client=1):
    document = pycrdt.Doc(client_id=client)
    text = document.get("text", type=pycrdt.Text)
    updates = []
    subscription = document.observe(lambda event: updates.append(event.update))
    for number in range(count):
        text.insert(0, "abc"[number % 3])
    document.unobserve(subscription)
    return updates


def test_new_document_is_empty():
    assert finish(Updates(None).snapshot()) == EMPTY_UPDATE


def test_stored_document_is_what_it_was():
    stored = keystrokes(1)[0]

    assert finish(Updates(stored).snapshot()) is stored


def test_document_has_all_its_updates_in_any_order():
    updates = keystrokes(500)
    first, second = Updates(None), Updates(None)
    for update in updates:
        first.add(update)
    for update in reversed(updates):
        second.add(update)

    assert finish(first.snapshot()) == finish(second.snapshot()) == merge(*updates).run()


def test_pieces_stay_few():
    updates = Updates(None)
    for update in keystrokes(5_000):
        updates.add(update)

    assert len(updates._pieces) < 32 + 12
    assert updates.size == sum(map(len, updates._pieces))


def test_fold_never_reads_more_than_is_light(monkeypatch):
    jobs = []
    monkeypatch.setattr(Job, "run", lambda job: jobs.append(job) or b"".join(job.blobs))
    updates = Updates(b"x" * (LIGHT_BYTES - 1_000))
    for _ in range(200):
        updates.add(b"y" * 100)

    assert jobs
    assert all(job.is_light for job in jobs)


def test_snapshot_is_taken_once():
    updates = Updates(None)
    for update in keystrokes(3):
        updates.add(update)
    snapshot = finish(updates.snapshot())

    assert finish(updates.snapshot()) is snapshot


def test_what_comes_while_a_snapshot_is_taken_is_not_lost():
    first, second, third = keystrokes(3)
    updates = Updates(None)
    updates.add(first)
    updates.add(second)
    steps = updates.snapshot()
    job = next(steps)
    updates.add(third)
    with pytest.raises(StopIteration) as done:
        steps.send(job.run())

    assert done.value.value == merge(first, second).run()
    assert finish(updates.snapshot()) == merge(first, second, third).run()


def test_two_snapshots_at_a_time_lose_nothing():
    all_updates = keystrokes(4)
    updates = Updates(None)
    for update in all_updates[:3]:
        updates.add(update)
    one, two = updates.snapshot(), updates.snapshot()
    job_one, job_two = next(one), next(two)
    with pytest.raises(StopIteration):
        one.send(job_one.run())
    updates.add(all_updates[3])
    with pytest.raises(StopIteration):
        two.send(job_two.run())

    assert finish(updates.snapshot()) == merge(*all_updates).run()


def test_known_update_is_no_news():
    updates = Updates(None)
    first, second, third = keystrokes(3)
    updates.add(first)
    updates.add(second)

    assert finish(updates.holds(first))
    assert not finish(updates.holds(third))


def test_large_job_is_left_to_somebody_else():
    updates = Updates(b"x" * LIGHT_BYTES)
    updates.add(b"y")
    job = run_light(updates.snapshot())

    assert job == merge(b"x" * LIGHT_BYTES, b"y")


def test_broken_update_is_told_to_the_steps():
    def steps():
        with pytest.raises(BrokenUpdate, match="ValueError"):
            yield merge(b"\xff", b"\xff")

    assert run_light(steps()) is None


def text_of(update):
    document = pycrdt.Doc()
    document.apply_update(update)
    return str(document.get("text", type=pycrdt.Text))


def edited(before, after):
    """A document in which a text was replaced by another one."""
    document = pycrdt.Doc()
    text = document.get("text", type=pycrdt.Text)
    updates = []
    subscription = document.observe(lambda event: updates.append(event.update))
    for character in before:
        text += character
    del text[0 : len(before.encode())]
    text += after
    document.unobserve(subscription)
    return updates


def test_compaction_drops_what_was_deleted():
    document = merge(*edited("a long text that goes", "kept")).run()
    compacted = compact(document).run()

    assert b"long" not in compacted
    assert len(compacted) < len(document) / 2
    assert text_of(compacted) == text_of(document) == "kept"


def test_document_with_astral_characters_is_not_compacted():
    document = merge(*edited("gone", "kept 😀")).run()

    assert compact(document).run() is document


@pytest.mark.parametrize("lost", [0, 3, -1])
def test_document_that_waits_for_something_is_not_compacted(lost):
    """yrs would leave out what it cannot integrate yet; a deletion is the last that comes."""
    updates = edited("abcdefgh", "kept")
    del updates[lost]
    document = merge(*updates).run()
    compacted = compact(document).run()

    assert text_of(compacted) == text_of(document)
    assert lost == -1 or compacted is document
