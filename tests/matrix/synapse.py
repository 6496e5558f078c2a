"""Synapse, a real homeserver, with SQLite, on a port of its own: started, stopped, asked.

It lives in a virtual environment of its own, see ``make synapse``: 240 MB, and a licence that the
channel server does not have. ``SYNAPSE_PYTHON`` names another one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from tests.ports import free_port
from tests.servers import missing, stop, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).parents[2]
PYTHON: Final = Path(os.environ.get("SYNAPSE_PYTHON", ROOT / ".synapse/bin/python"))
NAME: Final = "matrix.test"
_SECRET: Final = "test-shared-secret"
_STARTS_WITHIN_S: Final = 60.0
_UNLIMITED: Final = {"per_second": 1000, "burst_count": 1000}


class User(NamedTuple):
    """An account.

    Attributes:
        name: Such as ``@bot:matrix.test``.
        token: Access token.
    """

    name: str
    token: str


class Synapse:
    """A homeserver.

    Args:
        folder: Its own.
        is_limited: Its own rate limits are in force: ten messages, then one in five seconds.
    """

    def __init__(self, folder: Path, *, is_limited: bool = False) -> None:
        if not PYTHON.exists():
            missing("no Synapse: make synapse")
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        command = ["--server-name", NAME, "--config-path", folder / "generated.yaml"]
        self._run("--generate-config", "--report-stats=no", *command)
        (folder / "log.yaml").write_text(json.dumps(_logging(folder / "homeserver.log")))
        limits = {} if is_limited else {"rc_message": _UNLIMITED}
        limits |= {"rc_joins": {"local": _UNLIMITED}, "rc_login": {"account": _UNLIMITED}}
        limits |= {"rc_room_creation": _UNLIMITED}
        # JSON is YAML.
        (folder / "homeserver.yaml").write_text(json.dumps(self._config() | limits))

    def _config(self) -> dict[str, Any]:
        folder = str(self._folder)
        listener = {
            "port": self.port,
            "bind_addresses": ["127.0.0.1"],
            "tls": False,
            "type": "http",
            "resources": [{"names": ["client"], "compress": False}],
        }
        return {
            "server_name": NAME,
            "pid_file": f"{folder}/homeserver.pid",
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": f"{folder}/homeserver.db"}},
            "log_config": f"{folder}/log.yaml",
            "media_store_path": f"{folder}/media",
            "signing_key_path": f"{folder}/{NAME}.signing.key",
            "macaroon_secret_key": "x",
            "form_secret": "x",
            "registration_shared_secret": _SECRET,
            "report_stats": False,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "federation_domain_whitelist": [],
            "presence": {"enabled": False},
            "bcrypt_rounds": 4,
            "room_list_publication_rules": [{"action": "allow"}],
        }

    def _run(self, *arguments: str | Path) -> None:
        command = [PYTHON, "-m", "synapse.app.homeserver", *arguments]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, or start again; return when it answers."""
        command = [PYTHON, "-m", "synapse.app.homeserver", "-c", self._folder / "homeserver.yaml"]
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdout=output, stderr=output
            )
        wait_until(self._is_up, within_s=_STARTS_WITHIN_S, what="Synapse answers")

    def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.poll() is None:
            stop(self._process)

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "output").read_text()
        try:
            self._ask("GET", "/health", parse=False)
        except OSError:
            return False
        return True

    # ── what a user does ────────────────────────────────────────────────────────────────────

    def register(self, name: str) -> User:
        """Make an account."""
        path = "/_synapse/admin/v1/register"
        nonce = self._ask("GET", path)["nonce"]
        words = f"{nonce}\0{name}\0password\0notadmin".encode()
        mac = hmac.new(_SECRET.encode(), words, hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": "password", "mac": mac}
        made = self._ask("POST", path, {**body, "admin": False})
        return User(made["user_id"], made["access_token"])

    def create_room(self, user: User, *, alias: str = "", is_public: bool = True) -> str:
        """Make a room. Return its id."""
        body = {"preset": "public_chat" if is_public else "private_chat"}
        if alias:
            body["room_alias_name"] = alias
        return self._client("POST", "createRoom", user, body)["room_id"]

    def invite(self, user: User, room: str, guest: User) -> None:
        """Invite somebody to a room."""
        self._client("POST", f"rooms/{quote(room)}/invite", user, {"user_id": guest.name})

    def join(self, user: User, room: str) -> None:
        """Enter a room."""
        self._client("POST", f"join/{quote(room)}", user, {})

    def promote(self, user: User, room: str, guest: User) -> None:
        """Make somebody a moderator of a room."""
        path = f"rooms/{quote(room)}/state/m.room.power_levels"
        levels = self._client("GET", path, user)
        levels["users"][guest.name] = 50
        self._client("PUT", path, user, levels)

    def upgrade(self, user: User, room: str) -> str:
        """Replace a room, and take its aliases along. Return the new room's id."""
        path = f"rooms/{quote(room)}/upgrade"
        return self._client("POST", path, user, {"new_version": "11"})["replacement_room"]

    def move_alias(self, user: User, alias: str, room: str) -> None:
        """Give an alias to another room."""
        path = f"directory/room/{quote(alias)}"
        self._client("DELETE", path, user)
        self._client("PUT", path, user, {"room_id": room})

    def messages(self, user: User, room: str) -> list[Mapping[str, Any]]:
        """Contents of the messages in a room, in order."""
        path = f"rooms/{quote(room)}/messages?dir=b&limit=200"
        events = reversed(self._client("GET", path, user)["chunk"])
        return [event["content"] for event in events if event["type"] == "m.room.message"]

    def _client(self, method: str, path: str, user: User, body: Any = None) -> Any:
        return self._ask(method, f"/_matrix/client/v3/{path}", body, token=user.token)

    def _ask(
        self, method: str, path: str, body: Any = None, *, token: str = "", parse: bool = True
    ) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if parse else text


def _logging(path: Path) -> dict[str, Any]:
    handler = {"class": "logging.FileHandler", "filename": str(path)}
    return {
        "version": 1,
        "handlers": {"file": handler},
        "root": {"level": "WARNING", "handlers": ["file"]},
    }
