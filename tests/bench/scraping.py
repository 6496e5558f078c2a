"""Reading metrics, as Prometheus does: what is measured is measured with it."""

import contextlib
import threading
import urllib.request
from collections.abc import Iterator
from typing import Final

EVERY_S: Final = 12.5
"""Often enough: Prometheus does it every 15 s to a minute."""


def scrape(port: int) -> None:
    """Read all metrics of the server whose internal port this is.

    Raises:
        OSError: If it does not answer.
    """
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        answer.read()


@contextlib.contextmanager
def scraping(port: int) -> Iterator[list[str]]:
    """Do so again and again, in a thread of its own, for as long as the block lasts.

    Yields:
        What went wrong; nothing, it is to be hoped.
    """
    is_over = threading.Event()
    problems: list[str] = []

    def work() -> None:
        while not is_over.wait(EVERY_S):
            try:
                scrape(port)
            except OSError as error:
                problems.append(f"no metrics: {error}")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield problems
    finally:
        is_over.set()
        thread.join()
