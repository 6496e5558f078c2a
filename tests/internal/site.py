"""A server with an internal port, and requests to it."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from tests.integration.program import Program
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

KEY = "a-long-key-of-the-operator"
PASSWORD = "a password of the operator"
FORM = "application/x-www-form-urlencoded"


class Answer(NamedTuple):
    """What came back; the body is JSON if it can be read as such, else text."""

    status: int
    body: Any
    headers: dict[str, str]


class Server(Program):
    """``channel-server`` with an internal port.

    Attributes:
        admin_port: That port.
    """

    def __init__(self, folder: Path, command: str = "serve", **settings: str) -> None:
        self.admin_port = int(settings.pop("ADMIN_PORT", "") or free_port())
        super().__init__(folder, command, ADMIN_PORT=str(self.admin_port), **settings)

    def ask(self, path: str, method: str = "GET", body: object = None, **headers: str) -> Answer:
        """Send one request to the internal port.

        Args:
            path: Where to.
            method: HTTP method.
            body: Bytes are sent as they are, anything else as JSON.
            headers: In Python's spelling; ``key`` stands for the bearer key.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if "key" in sent:
            sent["Authorization"] = f"Bearer {sent.pop('key')}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        try:
            return Answer(response.status, json.loads(text), dict(response.headers))
        except ValueError:
            return Answer(response.status, text, dict(response.headers))

    def log_in(self, password: str, **headers: str) -> Answer:
        """Send the dashboard's form."""
        body = urlencode({"password": password}).encode()
        return self.ask("/admin/login", "POST", body, Content_Type=FORM, **headers)
