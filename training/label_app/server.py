"""The server of the labelling page: on this machine only, for this page only.

Nothing in an address becomes a path: pages go by their number, and the files of the page itself
are known names. Every call needs the token, which stands behind the ``#`` of the address
that the command prints, where no server and no log sees it. `Host` is checked against other
sites' names for this machine (DNS rebinding), `Origin` against other sites' pages.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
from importlib.resources import files
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from training.label_app.session import Conflict, Refused, Session

__all__ = ["make_app", "make_server"]

TOKEN_HEADER = "x-linesift-token"
_MAX_BODY = 64 << 20

_FILES = {
    "index.html": "text/html",
    "app.js": "text/javascript",
    "input.js": "text/javascript",
    "net.js": "text/javascript",
    "page.js": "text/javascript",
    "style.css": "text/css",
    "icon.svg": "image/svg+xml",
}

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Let only requests of this page through, and put the security headers on every answer."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app = app
        self.token = token.encode("ascii")
        hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self.hosts = {host.encode("ascii") for host in hosts}
        self.origins = {b"http://" + host for host in self.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        if scope["type"] != "http":
            return
        wrong = self._problem(scope)
        app = self.app if wrong is None else _error(*wrong)
        await app(scope, receive, guarded)

    def _problem(self, scope: Scope) -> tuple[int, str] | None:
        headers: dict[bytes, bytes] = {}
        for key, value in scope["headers"]:
            if headers.setdefault(key, value) != value:
                return 400, "expected each header once"
        origin = headers.get(b"origin")
        if headers.get(b"host") not in self.hosts:
            return 403, "expected the address that the command printed"
        if origin not in self.origins and (origin or scope["method"] not in ("GET", "HEAD")):
            return 403, "expected a request from the labelling page"
        if not scope["path"].startswith("/api/"):
            return None
        if not hmac.compare_digest(headers.get(TOKEN_HEADER.encode(), b""), self.token):
            return 403, "expected the token; open the whole address that the command printed"
        return None


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)


async def _said(request: Request) -> dict[str, Any]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise Refused("expected a smaller page")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Refused("expected a JSON object")
    return said


def make_app(session: Session, token: str, port: int) -> Guard:
    """Return the application.

    Parameters
    ----------
    session : Session
    token : str
        In ASCII.
    port : int
        The port that it will be reached at.

    Returns
    -------
    Guard
        An ASGI application.
    """

    # Not in worker threads: one request after the other keeps the session and its files in step.
    async def overview(_: Request) -> Response:
        return JSONResponse(session.overview())

    async def page(request: Request) -> Response:
        number = request.path_params["number"]
        try:
            if request.method == "PUT":
                return JSONResponse(session.save(number, await _said(request)))
            found = session.read(number)
            session.visit(number)
            return JSONResponse(found)
        except Refused as error:
            return _error(409 if isinstance(error, Conflict) else 400, str(error))
        except OSError as error:
            return _error(500, f"could not be saved: {error.strerror}: {error.filename}")

    async def static(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in _FILES:
            return _error(404, "expected a file of the labelling page")
        data = (files("training.label_app") / "static" / name).read_bytes()
        return Response(data, media_type=_FILES[name])

    routes = [
        Route("/", static),
        Route("/static/{name}", static),
        Route("/api/session", overview),
        Route("/api/pages/{number:int}", page, methods=["GET", "PUT"]),
    ]
    return Guard(Starlette(routes=routes), token, port)


def make_server(session: Session, listener: socket.socket) -> tuple[uvicorn.Server, str]:
    """Return a server, and the address of the labelling page with a new token in it.

    Parameters
    ----------
    session : Session
    listener : socket.socket
        Listens on 127.0.0.1.

    Returns
    -------
    tuple of (uvicorn.Server, str)
    """
    port, token = listener.getsockname()[1], secrets.token_urlsafe(24)
    config = uvicorn.Config(
        make_app(session, token, port), log_level="warning", access_log=False,
        server_header=False, ws="none", lifespan="off", timeout_graceful_shutdown=2,
    )  # fmt: skip
    return uvicorn.Server(config), f"http://127.0.0.1:{port}/#{token}"
