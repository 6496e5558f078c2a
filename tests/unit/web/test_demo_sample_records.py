"""The sample records against the example in the contract with Loomio."""

from datetime import UTC, datetime

from channel_server.web.demo.sample_records import new_comment

NOON = datetime(2026, 1, 15, 12, 0, 0, 5_000, tzinfo=UTC)


def test_a_comment_comes_with_the_event_that_announces_it():
    records = new_comment("hi", number=4, created_at=NOON)

    (event,), (comment,) = records["events"], records["comments"]
    assert records.keys() == {"events", "comments"}
    assert event["kind"] == "new_comment"
    assert (event["eventable_type"], event["eventable_id"]) == ("Comment", comment["id"])
    assert event["discussion_id"] == comment["discussion_id"]
    assert comment["body"] == "hi"


def test_ids_are_numbers():
    """Loomio's store looks records up by number: "4" would be another record than 4."""
    records = new_comment("hi", number=4, created_at=NOON)

    assert [record["id"] for (record,) in records.values()] == [4, 4]


def test_times_are_iso_8601_in_utc_with_milliseconds():
    (event,) = new_comment("hi", number=4, created_at=NOON)["events"]

    assert event["created_at"] == "2026-01-15T12:00:00.005Z"
