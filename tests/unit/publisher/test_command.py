"""The seam shows nothing of what passes it."""

from publisher.command import Command


def test_repr_shows_neither_payload_nor_token():
    """Commands stand in tracebacks and logs of whoever holds one."""
    assert repr(Command(("SET", "/current_users/secret", b"{}"))) == "Command()"
