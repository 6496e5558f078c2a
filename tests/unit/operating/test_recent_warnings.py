"""The last warnings, for the dashboard."""

import logging

from channel_server.operating.recent_warnings import RecentWarnings

log = logging.getLogger("tests.recent")


def test_warnings_and_errors_are_kept_the_newest_first():
    recent = RecentWarnings()
    with recent.listening():
        log.info("fine")
        log.warning("journal gap", extra={"count": 3})
        log.error("delivery failed", exc_info=ValueError("secret words"))
    log.warning("too late")

    assert [(line.level, line.event, line.fields) for line in recent.lines] == [
        ("ERROR", "delivery failed", {}),
        ("WARNING", "journal gap", {"count": "3"}),
    ]
    assert recent.counts == {"warning": 1, "error": 1}
    assert "secret" not in repr(recent.lines)


def test_fifty_are_kept():
    recent = RecentWarnings()
    with recent.listening():
        for number in range(60):
            log.warning("again", extra={"number": number})

    assert len(recent.lines) == 50
    assert recent.lines[0].fields == {"number": "59"}
    assert recent.counts["warning"] == 60


def test_a_line_that_cannot_be_written_is_no_error_of_who_logs_it(capsys):
    """As with logging's own handlers: the subscription to Redis was lost by one, found in review."""
    recent = RecentWarnings()

    recent.handle(log.makeRecord("x", logging.WARNING, "x.py", 1, "%d clients", ("many",), None))

    assert not recent.lines
    assert "Logging error" in capsys.readouterr().err
