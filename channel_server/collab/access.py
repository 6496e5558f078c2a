"""Who may open a document: the application is asked."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import aiohttp
import orjson

from channel_server.collab.messages import Scope

if TYPE_CHECKING:
    from types import TracebackType

    from yarl import URL

log = logging.getLogger(__name__)

_HEADERS: Final = {"Content-Type": "application/json; charset=UTF-8"}
_OK: Final = 200
_NO: Final = frozenset({401, 403})
_SAME_AGAIN: Final = frozenset({307, 308})
_MAX_REDIRECTS: Final = 3
_MAX_CONNECTIONS: Final = 32
_MAX_AGAIN: Final = 8
_WAIT_S: Final = 60.0
_MAX_ASKING: Final = 20_000
"""All editors of a site return at once after a restart."""
_TIMEOUT_S: Final = 10.0


class Ruling(NamedTuple):
    """What the application says.

    Attributes:
        scope: What a client may do; None: nothing.
        is_certain: The application has said so; else it did not answer, or was in trouble.
    """

    scope: Scope | None
    is_certain: bool = True


_NO_ANSWER: Final = Ruling(None, is_certain=False)


class Access:
    """Asks ``POST <application>/api/hocuspocus``, on a few connections that are kept.

    200 is yes, for reading only if the answer has the header ``X-Document-Access: readonly``;
    401 and 403 are no. Everything else is no answer, which is no for who wants to come in. To 307 and 308 the same question is asked at the other address; other
    redirects, which turn it into a GET of some page, are no.

    Args:
        url: Where to ask.
        timeout_s: For one answer.
    """

    def __init__(self, url: URL, timeout_s: float = _TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None
        self._asking = 0
        self._slots = asyncio.Semaphore(_MAX_CONNECTIONS - _MAX_AGAIN)
        self._slots_again = asyncio.Semaphore(_MAX_AGAIN)
        self._complaint = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_MAX_CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, token: str, document: str, *, is_again: bool = False) -> Ruling:
        """Ask whether the owner of a token may open a document. Both are secrets: never log them.

        Never raises: no answer is no.

        Args:
            token: As shown.
            document: Its name.
            is_again: The client is in already; those who wait outside come first.
        """
        if self._asking >= _MAX_ASKING:
            self._complain("too many questions")
            return _NO_ANSWER
        self._asking += 1
        try:
            question = orjson.dumps({"user_secret": token, "document_name": document})
            slots = self._slots_again if is_again else self._slots
            async with asyncio.timeout(_WAIT_S), slots, asyncio.timeout(self._timeout_s):
                return await self._post(question)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self._complain(type(error).__name__)
            return _NO_ANSWER
        finally:
            self._asking -= 1

    async def _post(self, question: bytes) -> Ruling:
        assert self._session is not None, "entered"
        url = self._url
        for _ in range(_MAX_REDIRECTS + 1):
            async with self._session.post(
                url, data=question, headers=_HEADERS, allow_redirects=False
            ) as answer:
                if answer.status in _SAME_AGAIN and "Location" in answer.headers:
                    url = url.join(type(url)(answer.headers["Location"]))
                    continue
                return self._read(answer)
        self._complain("too many redirects")
        return _NO_ANSWER

    def _read(self, answer: aiohttp.ClientResponse) -> Ruling:
        if answer.status != _OK and answer.status not in _NO:
            # A wrong address, a page to log in, a limit, a failure: nothing that is about the client.
            self._complain(f"status {answer.status}")
            return _NO_ANSWER
        self._work_again()
        if answer.status in _NO:
            return Ruling(None)
        is_read_only = answer.headers.get("X-Document-Access", "").strip() == "readonly"
        return Ruling(Scope.READ_ONLY if is_read_only else Scope.READ_WRITE)

    @property
    def trouble(self) -> str | None:
        """Why the application does not say who may open documents; None if it does."""
        return self._complaint or None

    def _work_again(self) -> None:
        if self._complaint:
            self._complaint = ""
            log.info("the application says again who may open documents")

    def _complain(self, reason: str) -> None:
        """Say it once, until it works again, or fails otherwise."""
        if self._complaint != reason:
            self._complaint = reason
            log.warning(
                "the application does not say who may open documents",
                extra={"reason": reason, "application": str(self._url.origin())},
            )
