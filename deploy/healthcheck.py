"""Exit code 0 if the server in this container lives. In the image: ``python /opt/healthcheck.py``.

It may be any of the servers: ``serve`` listens on PORT, ``collab`` on COLLAB_PORT or
HOCUSPOCUS_PORT, and ``bots`` only on the internal port; all have defaults. So all of these are
asked; in a container there is only one of them. Tested in tests/unit/test_deploy.py.
"""

# ruff: noqa: INP001 - it is copied to where there is no package

import http.client
import os
import sys
import urllib.request

_TIMEOUT_S = 2.0

# Without a proxy, which HTTP_PROXY in the environment may name: the server is in here.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def lives(port: str) -> bool:
    """Whether a server answers ``/live`` with 200."""
    try:
        with _OPENER.open(f"http://127.0.0.1:{port}/live", timeout=_TIMEOUT_S) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - as HTTP has it
    except (OSError, ValueError, http.client.HTTPException):
        return False


def ports() -> list[str]:
    """Where it may be, each once."""
    # 5000 and 4444: what `collab` listens on, by RAILS_ENV, if COLLAB_PORT is not set.
    names = ("PORT", "COLLAB_PORT", "HOCUSPOCUS_PORT", "ADMIN_PORT")
    named = [os.environ.get(name, "").strip() for name in names]  # noqa: TID251 - stands alone
    return list(dict.fromkeys([*filter(None, named), "5000", "4444", "5001"]))


sys.exit(not any(map(lives, ports())))
