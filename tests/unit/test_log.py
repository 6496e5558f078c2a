"""One line a record: a constant text, then fields; as text or as JSON."""

import json
import logging
import sys

import pytest

from channel_server.log import JsonFormatter, TextFormatter, configure


def record(event="ready", *args, level=logging.INFO, exc_info=None, **fields):
    """Make a record as a logger makes it."""
    return logging.getLogger("channel_server.app").makeRecord(
        "channel_server.app", level, "app.py", 1, event, args, exc_info, "run", fields
    )


def raised():
    try:
        {}["no such thing"]
    except KeyError:
        return sys.exc_info()


@pytest.fixture
def root():
    """The root logger, empty, and put back as it was: pytest's own handlers are on it."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = []
    yield root
    root.handlers, root.level = handlers, level


# ── text ────────────────────────────────────────────────────────────────────────────────────


def test_text_line_has_time_level_logger_event_and_fields():
    line = TextFormatter().format(record(port=5000, redis="redis://localhost"))

    time, rest = line[:23], line[23:]
    assert rest == " INFO channel_server.app: ready port=5000 redis=redis://localhost"
    assert time[4] == time[7] == "-"


def test_text_stays_one_line_whatever_is_in_it():
    line = TextFormatter().format(record(reason="one\r\ntwo\x1b[2J\x85\x9b three"))

    assert line.endswith(r" reason=one\r\ntwo\x1b[2J\x85\x9b three")


def test_text_without_fields_ends_with_the_event():
    assert TextFormatter().format(record()).endswith(": ready")


def test_text_shows_an_exception_below_the_line():
    lines = TextFormatter().format(record(exc_info=raised(), count=3)).splitlines()

    assert lines[0].endswith(": ready count=3")
    assert lines[-1] == "KeyError"


def test_arguments_are_put_into_the_text():
    """Libraries log that way."""
    assert TextFormatter().format(record("%s of %d", "one", 2)).endswith(": one of 2")


def test_formatting_twice_gives_the_same_line():
    """A record may pass several handlers; what they leave behind on it is no field."""
    one = record(port=5000)
    first = TextFormatter().format(one)

    assert TextFormatter().format(one) == first
    assert set(json.loads(JsonFormatter().format(one))) == {
        "time",
        "level",
        "logger",
        "event",
        "port",
    }


# ── JSON ────────────────────────────────────────────────────────────────────────────────────


def test_json_line_has_time_level_logger_event_and_fields():
    line = json.loads(JsonFormatter().format(record(level=logging.WARNING, port=5000)))

    assert line.pop("time")[:2] == "20"
    assert line == {
        "level": "WARNING",
        "logger": "channel_server.app",
        "event": "ready",
        "port": 5000,
    }


def test_json_is_one_line_whatever_is_in_it():
    line = JsonFormatter().format(record("a\nb", words="c\r\nd\u2028e", exc_info=raised()))

    assert len(line.splitlines()) == 1
    assert json.loads(line)["words"] == "c\r\nd\u2028e"


def test_json_holds_the_exception():
    line = json.loads(JsonFormatter().format(record(exc_info=raised())))

    assert line["exception"].endswith("KeyError")


def test_json_takes_fields_of_any_kind():
    """A line with an odd field is better than no line."""
    line = json.loads(JsonFormatter().format(record(what={1}, who=None, kind=LookupError)))

    assert (line["what"], line["who"], line["kind"]) == ("{1}", None, "<class 'LookupError'>")


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_what_logging_itself_puts_on_a_record_is_no_field(formatter):
    """A new Python may add attributes, as 3.12 did with ``taskName``."""
    line = formatter.format(record())

    for attribute in vars(logging.makeLogRecord({})).keys() - {"name", "msg", "args"}:
        assert attribute not in line


# ── the process ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_log_goes_to_standard_output_in_the_chosen_format(log_format, capfd):
    configure(log_format)
    logging.getLogger("channel_server.app").info("ready", extra={"port": 5000})
    logging.getLogger().handlers[0].close()

    captured = capfd.readouterr()
    assert captured.err == ""
    if log_format == "json":
        assert json.loads(captured.out)["port"] == 5000
    else:
        assert captured.out.endswith(": ready port=5000\n")


def test_configuring_again_does_not_double_the_lines(root):
    configure("text")
    configure("json")

    assert len(root.handlers) == 1


@pytest.mark.usefixtures("root")
def test_debug_is_silent(capfd):
    configure("text")
    logging.getLogger("channel_server.app").debug("detail")
    logging.getLogger().handlers[0].close()

    assert capfd.readouterr().out == ""


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    "name", ["aiohttp.server", "channel_server.engine.frames", "channel_server.socketio"]
)
def test_what_clients_do_wrong_is_not_logged(name, capfd):
    """Anybody on the internet could write our log."""
    configure("text")
    logging.getLogger(name).warning("bad request")
    logging.getLogger().handlers[0].close()

    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_the_words_of_an_error_are_never_written(formatter):
    """They may quote a message; what it is, and where it was, are."""

    def deliver(words):
        try:
            return int(words)
        except ValueError:
            try:
                return {}[words]
            except KeyError:
                return sys.exc_info()

    line = formatter.format(record(exc_info=deliver("secret of a user")))

    assert "ValueError" in line
    assert "KeyError" in line
    assert "in deliver" in line
    assert "secret" not in line
