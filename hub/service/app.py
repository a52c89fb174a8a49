"""The app: identity, security headers, limits and errors around the routes."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autograder.api import AutograderError, Ledger
from hub.service import events, exchange, pages, peers, showcase, staff, submissions
from hub.service.access import Desk, LoginNeeded, login_path, visitor
from hub.service.catalogue import Catalogue
from hub.service.cells import CellRuns
from hub.service.identity import Identity
from hub.service.intake import refund_what_was_ours
from hub.service.metrics import Metrics
from hub.service.ports import Grader
from hub.service.render import HERE, render
from hub.service.settings import KIB, Settings
from hub.service.wording import NOT_FOUND, STORED_NOT, TOO_LARGE

log = logging.getLogger("autograder.service")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
# where a body may be larger than a form; these routes count it themselves, against their own limits
_LARGE = re.compile(r"api/assignments/[^/]+/submissions|api/exchange/.+")
_FORM_WITH_FILE = re.compile(r"assignments/[^/]+/submit")


def make_app(
    settings: Settings,
    ledger: Ledger,
    dispatcher: Grader,
    identity: Identity,
    cells: CellRuns | None = None,
    unwritten: Callable[[], list[str]] = list,
) -> FastAPI:
    """The service as an ASGI app.

    Args:
        settings: where it is reached, and its limits.
        ledger: what was handed in and graded.
        dispatcher: who grades; `NoGrader` where another process does.
        identity: who is asking.
        cells: what notebooks show; its own if None.
        unwritten: what could not be brought into the gradebook, for staff to read.
    """
    prefix = settings.prefix.rstrip("/")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.stopping.set()
        desk.cells.close()

    app = FastAPI(
        title="Autograder",
        version="1",
        description='Hand in, follow the verdict, fetch feedback. Errors are `{"detail": "one sentence"}`.',
        openapi_url=f"{prefix}/api/openapi.json",
        docs_url=None,  # its page loads scripts from a CDN
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    catalogue, meters = Catalogue(settings.course_folder), Metrics(ledger, dispatcher)
    cells = cells or CellRuns(ledger, dispatcher, settings.course)
    desk = Desk(settings, ledger, dispatcher, identity, catalogue, meters, cells, unwritten)
    app.state.desk, app.state.seats, app.state.stopping = desk, events.Seats(), asyncio.Event()
    dispatcher.on_recorded(lambda submission: refund_what_was_ours(desk, submission))

    for part in (submissions, events, exchange, pages, peers, showcase, staff):
        app.include_router(part.router, prefix=prefix)
    app.include_router(identity.router(), prefix=prefix)
    app.mount(f"{prefix}/static", StaticFiles(directory=HERE / "static"), name="static")
    app.add_api_route(f"{prefix}/metrics", metrics, include_in_schema=False)
    if prefix:
        app.add_api_route(prefix, lambda: RedirectResponse(settings.prefix), include_in_schema=False)

    app.add_exception_handler(LoginNeeded, _to_login)
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(AutograderError, _ours)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(Guard, settings=settings)
    return app


class Guard:
    """Headers on every answer, and no body beyond its limit."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wraps one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(self.settings.prefix)
        private = not path.startswith("static/")
        limit = None if _LARGE.fullmatch(path) else self.settings.form_bytes
        if _FORM_WITH_FILE.fullmatch(path):
            limit = self.settings.upload_bytes + self.settings.form_bytes
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if limit is not None and seen > limit:
                raise HTTPException(413, TOO_LARGE.format(limit=limit // KIB))
            return message

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for key, value in _HEADERS.items():
                    headers.setdefault(key, value)
                headers.setdefault("cache-control", "no-store" if private else "public, max-age=3600")
            await send(message)

        await self.app(scope, counted, guarded)


async def metrics(request: Request) -> Response:
    """For Prometheus with its own token, or staff."""
    desk: Desk = request.app.state.desk
    sent = request.headers.get("authorization", "").removeprefix("Bearer ").encode("utf-8", "replace")
    known = desk.settings.metrics_token
    if not (known and hmac.compare_digest(sent, known.encode())) and not (await visitor(request)).staff:
        raise HTTPException(403, "Metrics are for the course's staff, or for a scraper with its token.")
    text = await asyncio.to_thread(desk.metrics.text)
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _is_page(request: Request) -> bool:
    path = request.url.path.removeprefix(request.app.state.desk.settings.prefix)
    return not path.startswith(("api/", "metrics", "static/"))


def _answer(request: Request, status: int, detail: str, headers: Any = None) -> Response:
    if not _is_page(request):
        return JSONResponse({"detail": detail}, status, headers)
    answer = render(request, "error.html", status=status, detail=detail)
    answer.headers.update(headers or {})
    return answer


def _to_login(request: Request, error: Exception) -> Response:
    assert isinstance(error, LoginNeeded)
    target = login_path(request.app.state.desk.settings.prefix, error.target)
    if request.headers.get("accept", "").startswith("text/event-stream"):
        return PlainTextResponse("Log in first.", 401)
    return RedirectResponse(target, status_code=303)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    detail = NOT_FOUND if error.detail == "Not Found" else error.detail
    return _answer(request, error.status_code, str(detail), error.headers)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(p) for p in first["loc"][1:]) or str(first["loc"][0])
    shown = where.encode("ascii", "backslashreplace").decode()[:200]
    return _answer(request, 422, f"{shown}: {first['msg']}.")


def _ours(request: Request, error: Exception) -> Response:
    log.error("%s %s: %s", request.method, request.url.path, error)
    return _answer(
        request,
        503,
        STORED_NOT if request.method != "GET" else "The service cannot reach its records; try again in a minute.",
        {"Retry-After": "10"},
    )


def _unexpected(request: Request, error: Exception) -> Response:
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    answer = _answer(request, 500, "Something failed on our side; it was written down and costs you nothing.")
    answer.headers.update(_HEADERS)  # this answer is given outside the guard
    return answer
