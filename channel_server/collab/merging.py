"""What is done to updates, as jobs: small ones at once, others in a process of their own.

A job costs time for each byte that it reads, and yrs does not let go of the interpreter meanwhile:
1.3 MB of single keystrokes are merged in 44 ms. What was not decoded before may even be a trap
(``skim``). So who needs a job done yields it, as a step of its work, and whoever runs the steps
decides where that is: here, or in the sandbox.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import pycrdt

from channel_server.collab.messages import EMPTY_STATE, EMPTY_UPDATE
from channel_server.collab.skim import parse_update
from channel_server.errors import BrokenUpdate, MalformedFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import TypeAlias

LIGHT_BYTES: Final = 256 * 1024
"""What one job may read here. A client that joins needs three of them, which take 9 ms together
(single keystrokes; ``python -m tests.bench --only document-merge``)."""

_COMPACT_BYTES: Final = 32 * 1024
"""What is compacted here at most: yrs' time for it grows with the square; 4 ms."""

_WITHIN_S: Final = 10.0
_COMPACT_WITHIN_S: Final = 3.0
"""Others wait meanwhile; without it a document is as good, only larger."""

_BATCH: Final = 48
"""Updates that are merged in one call: 20,000 at once take yrs 2.7 s, in batches 0.04 s."""

_ASTRAL: Final = re.compile(rb"[\xf0-\xf4][\x80-\xbf]{3}")
"""A character that JavaScript writes as two: yrs cannot keep one half of it."""


class Job(NamedTuple):
    """A computation over bytes.

    Attributes:
        name: Which.
        blobs: What it reads.
        is_trusted: All of it was decoded before.
    """

    name: str
    blobs: tuple[bytes, ...]
    is_trusted: bool = True

    @property
    def is_light(self) -> bool:
        """Whether it may be done at once."""
        limit = _COMPACT_BYTES if self.name == "compact" else LIGHT_BYTES
        return self.is_trusted and sum(map(len, self.blobs)) <= limit

    @property
    def within_s(self) -> float:
        """How long it may take in the sandbox."""
        return _COMPACT_WITHIN_S if self.name == "compact" else _WITHIN_S

    def run(self) -> bytes:
        """Do it.

        Raises:
            BrokenUpdate: If what it reads is no update.
        """
        try:
            return _JOBS[self.name](*self.blobs)
        except MalformedFrame as error:
            raise BrokenUpdate(error.reason) from None
        except Exception as error:  # noqa: BLE001 - whatever yrs makes of strange bytes
            raise BrokenUpdate(type(error).__name__) from None
        except BaseException as error:
            # yrs' panics are no exceptions to Python; their class cannot be imported.
            if type(error).__name__ != "PanicException":
                raise
            raise BrokenUpdate("panic") from None


Result = TypeVar("Result")
Steps: TypeAlias = "Generator[Job, bytes, Result]"
"""Work that yields jobs, and gets back what they return, or their ``BrokenUpdate``."""


def run_light(steps: Steps[Result]) -> Job | None:
    """Run steps here as long as their jobs are light.

    Returns:
        The first job that is not; None if there was none: all is done.
    """
    try:
        job = next(steps)
        while job.is_light:
            try:
                result = job.run()
            except BrokenUpdate as error:
                job = steps.throw(error)
            else:
                job = steps.send(result)
    except StopIteration:
        return None
    return job


def merge(*updates: bytes) -> Job:
    """Make one update of several, in any order. The result is the same for the same content."""
    return Job("merge", updates)


def check(update: bytes) -> Job:
    """See whether an update of a client can be taken. Returns nothing."""
    return Job("check", (update,), is_trusted=False)


def glance(update: bytes) -> Job:
    """The same for one that was parsed already, and found harmless."""
    return Job("glance", (update,))


def restore(stored: bytes) -> Job:
    """A stored document in the form that ``merge`` gives, whoever has written it."""
    return Job("restore", (stored,))


def state(document: bytes) -> Job:
    """The state vector of a document: how far it knows each client."""
    return Job("state", (document,))


def missing(document: bytes, known: bytes) -> Job:
    """What of a document somebody lacks who is at a state vector."""
    return Job("missing", (document, known))


def compact(document: bytes) -> Job:
    """A document without the text that was deleted; the same bytes if that is not safe."""
    return Job("compact", (document,))


def _merge(*updates: bytes) -> bytes:
    while len(updates) > 1:
        updates = tuple(
            pycrdt.merge_updates(*updates[start : start + _BATCH])
            for start in range(0, len(updates), _BATCH)
        )
    return updates[0] if updates else EMPTY_UPDATE


def _glance(update: bytes) -> bytes:
    pycrdt.get_state(update)
    return b""


def _check(update: bytes) -> bytes:
    parse_update(update)
    return _glance(update)


def _restore(stored: bytes) -> bytes:
    return pycrdt.merge_updates(stored, EMPTY_UPDATE)


def _missing(document: bytes, known: bytes) -> bytes:
    if known == EMPTY_STATE:
        return document
    return pycrdt.get_update(document, known)


def _compact(document: bytes) -> bytes:
    """Yrs integrates the document, which drops what was deleted, and says what is left.

    It must not have to split a character in two. And what waits for something that is not here
    would be lost: then more than deletions, or other deletions, are left beyond the state.
    """
    if _ASTRAL.search(document):
        return document
    integrated: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    integrated.apply_update(document)
    compacted = integrated.get_update()
    known = pycrdt.get_state(compacted)
    beyond = pycrdt.get_update(document, known)
    is_whole = (
        len(compacted) < len(document)
        and pycrdt.get_state(document) == known
        and beyond[0] == 0
        and pycrdt.get_update(compacted, known) == beyond
    )
    return compacted if is_whole else document


_JOBS: Final[dict[str, Callable[..., bytes]]] = {
    "merge": _merge,
    "check": _check,
    "glance": _glance,
    "restore": _restore,
    "state": pycrdt.get_state,
    "missing": _missing,
    "compact": _compact,
}
