"""Verdicts as they come: server-sent events for programs and for pages.

News of this process's grader come from `watch`; what another process grades is seen by asking the ledger every few
seconds, so a stream always ends. Nothing here holds a thread while it waits: hundreds may watch on deadline night.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from autograder.api import Entry, State
from hub.service.access import AtDesk, Desk, Id, Reader, Visitor
from hub.service.identity import Person
from hub.service.render import fragment
from hub.service.views import news_json
from hub.service.wording import progress

router = APIRouter(tags=["submissions"])

LOOK_S = 0.2  # between looks at the news
ASK_S = 5.0  # between questions to the ledger, which also keep a proxy from closing the stream
FINAL = ("graded", "needs-staff", "waiting-for-hardware", "refused")  # who waits for a GPU has a verdict on the rest

News = tuple[str, dict[str, Any]]


async def follow(desk: Desk, person: Person, submission: int, stopping: asyncio.Event) -> AsyncGenerator[News, None]:
    """(phase, news) until the verdict is recorded; the last is `recorded`, unless the service stops before.

    An empty phase is a sign of life.
    """
    shown, heard = "", False  # whoever hears of rounds need not be told that it runs
    with desk.grader.watch(submission) as news:
        while True:
            entry, position = await run_in_threadpool(_ask, desk, submission)
            if entry is None or entry.state in FINAL:
                break
            standing = f"{entry.state} {position}"
            if entry.state != State.RUNNING:
                heard = False
            if standing != shown and not heard:
                shown = standing
                yield str(entry.state), {"submission": submission, "phase": str(entry.state), "position": position}
            else:
                yield "", {}
            for _ in range(round(ASK_S / LOOK_S)):
                while (one := news.get(timeout=0)) is not None:
                    if one.get("phase") not in ("recorded", *FINAL):
                        heard = True
                        yield str(one.get("phase", "news")), news_json(one, person)
                        continue
                    entry, _ = await run_in_threadpool(_ask, desk, submission)
                    if entry is None or entry.state in FINAL:  # else the news are older than a regrade
                        yield "recorded", _recorded(submission, entry)
                        return
                if stopping.is_set():  # whoever watches comes back to the next process
                    return
                await asyncio.sleep(LOOK_S)
    yield "recorded", _recorded(submission, entry)


def _ask(desk: Desk, submission: int) -> tuple[Entry | None, int]:
    return desk.ledger.entry(submission), desk.ledger.position(submission)


def _recorded(submission: int, entry: Entry | None) -> dict[str, Any]:
    return {"submission": submission, "phase": "recorded", "state": str(entry.state) if entry else ""}


def message(event: str, data: str) -> str:
    """One event; every line of the data has its own field, so that no data can begin a new event."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {event}\n{lines}\n"


class Seats:
    """How many streams are open, of whom."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    def check(self, desk: Desk, person: Person) -> None:
        """Raises HTTPException 429 when there are too many."""
        full = self.taken.total() >= desk.settings.followers
        if full or self.taken[person.name] >= desk.settings.followers_each:
            problem = "Too many live streams are open; close other windows, or ask for the submission itself."
            raise HTTPException(429, problem, {"Retry-After": "5"})

    @contextmanager
    def taken_by(self, person: Person) -> Iterator[None]:
        """For as long as a stream is open."""
        self.taken[person.name] += 1
        try:
            yield
        finally:
            self.taken[person.name] -= 1
            if self.taken[person.name] <= 0:
                del self.taken[person.name]


def stream(
    request: Request, desk: Desk, person: Person, submission: int, write: Callable[[str, dict[str, Any]], str]
) -> StreamingResponse:
    """A response of events."""
    seats: Seats = request.app.state.seats
    stopping: asyncio.Event = request.app.state.stopping
    seats.check(desk, person)

    async def events() -> AsyncIterator[str]:
        with seats.taken_by(person):
            yield "retry: 3000\n\n"
            async with aclosing(follow(desk, person, submission, stopping)) as found:
                async for phase, news in found:
                    yield write(phase, news) if phase else ": still here\n\n"

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)


@router.get("/api/submissions/{submission}/events", response_class=StreamingResponse)
async def events(request: Request, submission: Id, person: Visitor, desk: AtDesk) -> StreamingResponse:
    """One event per news, named by its phase; the stream ends after `recorded`."""
    entry = await run_in_threadpool(desk.own, person, submission)
    return stream(
        request, desk, person, entry.id, lambda phase, news: message(phase, json.dumps(news, allow_nan=False))
    )


@router.get("/submissions/{submission}/live", include_in_schema=False)
async def live(request: Request, submission: Id, person: Reader, desk: AtDesk) -> StreamingResponse:
    """The same for the page, as pieces of HTML."""
    entry = await run_in_threadpool(desk.own, person, submission)
    assignment = await run_in_threadpool(desk.catalogue.get, entry.assignment)
    titles = {c.id: c.title for c in assignment.criteria} if assignment else {}
    link = f"{desk.settings.prefix}submissions/{entry.id}"

    def write(phase: str, news: dict[str, Any]) -> str:
        if phase == "recorded":
            # the page asks for itself once more, so that the verdict is made in one place only
            return message("verdict", fragment("recorded.html", link=link)) + message("end", "")
        return message("progress", fragment("progress.html", words=progress(news, titles), news=news))

    return stream(request, desk, person, entry.id, write)
