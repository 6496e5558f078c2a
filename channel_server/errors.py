"""Errors raised on purpose by channel_server.

ChannelServerError
├── ConfigError           the environment is wrong; raised before anything starts
├── CannotListen          the port is taken, or not ours to open
├── MissingPart           a program or package that the command needs is not installed
├── MalformedMessage      one Redis payload is wrong; count it and go on
├── MalformedUser         what is stored for a token is no user; serve its owner as a visitor
├── MalformedPacket       one client sent what the protocol forbids; close that client
├── MalformedFrame        one client sent what the Hocuspocus protocol forbids; close that client
├── BrokenUpdate          what should be a document, or a change of one, cannot be decoded
│   └── TooCostly         ... or only at a price that nobody pays
├── StoreFailed           documents cannot be loaded, or stored, now; try again
├── CannotOpenStore       the file for documents cannot be opened; raised before anything starts
├── NotStored             documents could not be stored before the process ends
├── TooManyDocuments      no other document can be opened now
├── RedisLost             Redis cannot answer now; wait, or send the client away to return
├── RedisRefused          Redis answers with an error; its operator has to act
├── AddressRefused        a stranger names a server that is not public; do not go there
├── ServerUnreachable     another server does not answer; try again
├── MatrixBusy            a homeserver does not take a message now; try again
├── MatrixRefused         a homeserver never will; give up
├── CannotAsk             a running server cannot be asked at its internal port
├── CannotLoad            a load test cannot begin
└── TrialFailed           a test message did not arrive
"""

from __future__ import annotations


class ChannelServerError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigError(ChannelServerError):
    """The environment does not describe a server we can run.

    Attributes:
        problems: One sentence for each variable, so that an operator fixes all in one go.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(self.problems)


class CannotListen(ChannelServerError, OSError):
    """The port, or the Unix socket, cannot be opened.

    Attributes:
        place: ``port 5000``, an address, or a path.
        reason: What the system says, or what that means.
        setting: The variable that chooses another one.
    """

    def __init__(self, place: str, reason: str, setting: str = "PORT") -> None:
        super().__init__(place, reason, setting)
        self.place = place
        self.reason = reason
        self.setting = setting

    def __str__(self) -> str:
        other = f"choose another one with {self.setting}"
        return f"cannot listen on {self.place}: {self.reason}; {other}"


class MissingPart(ChannelServerError):
    """A program or package that the command needs is not installed.

    Attributes:
        part: What is missing.
        remedy: The command, or the setting, that provides it.
    """

    def __init__(self, part: str, remedy: str) -> None:
        super().__init__(part, remedy)
        self.part = part
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.part} is missing: {self.remedy}"


class MalformedMessage(ChannelServerError, ValueError):
    """A Redis payload is not what its channel promises.

    Attributes:
        channel: Redis channel, such as ``/records``.
        reason: What is wrong, without quoting the payload, which may be private.
        size: Length of the payload in bytes.
    """

    def __init__(self, channel: str, reason: str, size: int) -> None:
        super().__init__(channel, reason, size)
        self.channel = channel
        self.reason = reason
        self.size = size

    def __str__(self) -> str:
        return f"{self.channel}: {self.reason} ({self.size} bytes)"


class MalformedUser(ChannelServerError, ValueError):
    """What is stored for a channel token is no user.

    Attributes:
        reason: What is wrong, without quoting it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"no user: {self.reason}"


class MalformedPacket(ChannelServerError, ValueError):
    """A client sent something that Engine.IO or Socket.IO forbids.

    Attributes:
        reason: What is wrong, without quoting the packet.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class MalformedFrame(ChannelServerError, ValueError):
    """A client sent something that the Hocuspocus protocol forbids.

    Attributes:
        reason: What is wrong, without quoting the frame.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class BrokenUpdate(ChannelServerError, ValueError):
    """What should be a document, or a change of one, cannot be decoded.

    Attributes:
        reason: What happened, without quoting it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"a broken update: {self.reason}"


class TooCostly(BrokenUpdate):
    """Nobody writes what takes so much to decode: it is meant to do harm."""


class StoreFailed(ChannelServerError):
    """Documents cannot be loaded, or stored, now.

    Attributes:
        reason: What the store says, without the name or content of a document.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the store of documents fails: {self.reason}"


class CannotOpenStore(ChannelServerError):
    """The file for documents cannot be opened.

    Attributes:
        path: Of the file.
        reason: What SQLite says.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot open {self.path} (COLLAB_DATABASE): {self.reason}"


class NotStored(ChannelServerError):
    """Documents could not be stored before the process ends.

    Attributes:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count

    def __str__(self) -> str:
        return f"documents that could not be stored: {self.count}"


class TooManyDocuments(ChannelServerError):
    """As many documents are open as may be."""

    def __str__(self) -> str:
        return "too many documents are open"


class RedisLost(ChannelServerError, ConnectionError):
    """Redis cannot answer now.

    Attributes:
        reason: What happened, without the URL, which may hold a password.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"Redis is lost: {self.reason}"


class RedisRefused(ChannelServerError):
    """Redis answered with an error.

    Attributes:
        code: Its first word, such as ``OOM``; the rest may quote the command.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return f"refused by Redis: {self.code}"


class AddressRefused(ChannelServerError, OSError):
    """A stranger has named a server that is not on the public internet."""

    def __str__(self) -> str:
        return "a private address"


class ServerUnreachable(ChannelServerError, ConnectionError):
    """Another server did not answer, or not as HTTP; try again.

    Attributes:
        reason: What happened, without its address.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class MatrixRefused(ChannelServerError):
    """A homeserver does not take a message, and will not.

    Attributes:
        code: Matrix' error code, such as ``M_FORBIDDEN``, or ours in lower case.
        status: HTTP status; 0 if there was no answer.
    """

    def __init__(self, code: str, status: int = 0) -> None:
        super().__init__(code, status)
        self.code = code
        self.status = status

    def __str__(self) -> str:
        return f"refused: {self.code}"


class MatrixBusy(ChannelServerError):
    """A homeserver does not take a message now.

    Attributes:
        reason: Why not.
        wait_s: How long it asks to wait; None if it does not say.
    """

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason, wait_s)
        self.reason = reason
        self.wait_s = wait_s

    def __str__(self) -> str:
        return self.reason


class TrialFailed(ChannelServerError):
    """A test message did not arrive.

    Attributes:
        reason: Why, in one line for the operator.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class CannotAsk(ChannelServerError):
    """A running server cannot be asked at its internal port.

    Attributes:
        url: Where.
        reason: Why not.
        is_gone: Nobody listens there.
    """

    def __init__(self, url: str, reason: str, *, is_gone: bool = False) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason
        self.is_gone = is_gone

    def __str__(self) -> str:
        return f"the server at {self.url} (ADMIN_HOST, ADMIN_PORT) cannot be asked: {self.reason}"


class CannotLoad(ChannelServerError):
    """A load test cannot begin.

    Attributes:
        reason: Why not, and what to do about it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"no load test: {self.reason}"
