"""Who may ask: pages of this server's own, in a browser on this machine.

Any page in a browser can send requests to a server on the same machine. What it sends from another
origin is refused; what changes anything needs a token besides, which only the server's own page
knows.
"""

from __future__ import annotations

import secrets

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

TOKEN = "x-dse-token"
_SAFE = ("GET", "HEAD")
_HOSTS = ("127.0.0.1", "localhost")
_LARGEST = 200_000
"""Bytes of a request: the decisions of the largest space take a tenth of it."""

_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Guard:
    """Refuses with 403 what does not come from the server's own page.

    The server may be reached at any port, as through a tunnel, but by a name of this machine only:
    a foreign name that leads here (DNS rebinding) would make a foreign page one of our own.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = self._problem(scope["method"], Headers(scope=scope))
        if problem:
            await JSONResponse({"problem": problem}, 403)(scope, receive, send)
            return

        async def send_on(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]  # type: ignore[misc]
            await send(message)

        await self._app(scope, receive, send_on)  # type: ignore[arg-type]

    def _problem(self, method: str, headers: Headers) -> str:
        host = headers.get("host", "")
        if host.rpartition(":")[0] not in _HOSTS and host not in _HOSTS:
            return f"the explorer is asked for by the names of this machine, got {host!r}"
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return f"a request of another origin is refused: {origin}"
        site = headers.get("sec-fetch-site", "same-origin")
        if site not in ("same-origin", "none"):
            return f"a request of another origin is refused: it is {site}"
        if method in _SAFE:
            return ""
        if not secrets.compare_digest(headers.get(TOKEN, "").encode(), self._token.encode()):
            return "the page is of an earlier start of the explorer: load it again"
        if not headers.get("content-length", "").isdigit():
            return "a request says how long it is"
        if int(headers["content-length"]) > _LARGEST:
            return f"a request has at most {_LARGEST:,} bytes, got {headers['content-length']}"
        return ""


_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
