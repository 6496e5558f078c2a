"""The process of the sandbox: reads jobs on standard input, answers on standard output."""

from __future__ import annotations

import resource
import sys
import threading
from typing import TYPE_CHECKING, BinaryIO, Final

from channel_server.collab.lib0 import Reader
from channel_server.collab.merging import Job
from channel_server.errors import BrokenUpdate

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIZE_BYTES: Final = 8
_MAX_MEMORY: Final = 2 * 1024**3
_STACK: Final = 1024 * 1024
"""An eighth of what the server's own thread has: what does not fit here is not let in there."""


def main() -> None:
    """Work until the server goes."""
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.stack_size(_STACK)
    worker = threading.Thread(target=_work, args=(sys.stdin.buffer, sys.stdout.buffer))
    worker.start()
    worker.join()


def _work(questions: BinaryIO, answers: BinaryIO) -> None:
    while size := int.from_bytes(questions.read(_SIZE_BYTES), "big"):
        try:
            answer = b"=" + _read(questions.read(size)).run()
        except (BrokenUpdate, MemoryError) as error:
            answer = b"!" + getattr(error, "reason", "MemoryError").encode()
        answers.write(len(answer).to_bytes(_SIZE_BYTES, "big"))
        answers.write(answer)
        answers.flush()


def _read(question: bytes) -> Job:
    reader = Reader(question)
    return Job(reader.string(), tuple(_blobs(reader)))


def _blobs(reader: Reader) -> Iterator[bytes]:
    while reader.left:
        yield reader.buffer()


if __name__ == "__main__":
    main()
