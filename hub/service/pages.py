"""What a student sees: assignments, their submissions, and one submission live."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from autograder.api import Purpose, State
from hub.service.access import AtDesk, Desk, Form, Id, Page, Reader, Slug
from hub.service.identity import Person
from hub.service.intake import at_the_door, plain_name, take, upload_limit
from hub.service.render import render
from hub.service.settings import KIB
from hub.service.views import grade_of, reviews_json
from hub.service.wording import TOO_LARGE, progress

router = APIRouter(include_in_schema=False)
_ROWS = 50


@router.get("/")
def home(request: Request, person: Reader, desk: AtDesk, page: Page = 1) -> Response:
    """Assignments, and what one has handed in."""
    mine = desk.ledger.entries(desk.settings.course, student=person.name, limit=_ROWS + 1, offset=(page - 1) * _ROWS)
    return render(
        request,
        "home.html",
        assignments=desk.catalogue.all(),
        entries=mine[:_ROWS],
        page=page,
        more=len(mine) > _ROWS,
        titles={a.slug: a.title for a in desk.catalogue.all()},
        due={a.slug: desk.deadlines.due(a.slug, person.name) for a in desk.catalogue.all()},
        term=desk.catalogue.term(),
    )


@router.get("/assignments/{slug}")
def assignment(request: Request, slug: Slug, person: Reader, desk: AtDesk) -> Response:
    """What is asked, a form to hand in, and what was handed in."""
    found = desk.assignment(slug)
    return render(
        request,
        "assignment.html",
        assignment=found,
        entries=desk.ledger.entries(desk.settings.course, student=person.name, assignment=slug, limit=_ROWS),
        own=desk.ledger.extension(desk.settings.course, slug, person.name),
        due=desk.deadlines.due(slug, person.name),
        closes=desk.deadlines.closes(slug, person.name),
        late=desk.deadlines.now(slug, person.name),
        term=desk.catalogue.term(),
        now=desk.ledger.clock(),
        titles={found.slug: found.title},
    )


@router.post("/assignments/{slug}/submit")
async def submit(request: Request, slug: Slug, person: Reader, form: Form, desk: AtDesk) -> Response:
    """The form's file, through the same door as the API's."""
    file, purpose = form.get("file"), str(form.get("purpose", "grade"))
    if not isinstance(file, UploadFile) or not file.filename:
        raise HTTPException(422, "No file was chosen; choose one and press the button again.")
    if purpose not in list(Purpose):
        raise HTTPException(422, "The purpose must be 'grade' or 'try'.")
    found = await run_in_threadpool(at_the_door, desk, person, slug)
    name = plain_name(file.filename)
    limit = upload_limit(desk, found, name)
    raw = await file.read(limit + 1)
    if len(raw) > limit:
        raise HTTPException(413, TOO_LARGE.format(limit=limit // KIB))
    receipt = await run_in_threadpool(take, desk, person, found, name, raw, Purpose(purpose), "page")
    return RedirectResponse(f"{desk.settings.prefix}submissions/{receipt.submission}", status_code=303)


@router.get("/submissions/{submission}")
def submission(request: Request, submission: Id, person: Reader, desk: AtDesk) -> Response:
    """One submission: progress while it runs, then the verdict."""
    return render(request, "submission.html", **_submission(desk, person, submission))


def _submission(desk: Desk, person: Person, identity: int) -> dict[str, Any]:
    entry = desk.own(person, identity)
    found = desk.catalogue.get(entry.assignment)
    position = desk.ledger.position(entry.id)
    return {
        "entry": entry,
        "late": desk.deadlines.of(entry) if entry.purpose is Purpose.GRADE else None,
        "title": found.title if found else entry.assignment,
        "project": found if found and found.project else None,
        "waiting": entry.state in (State.QUEUED, State.RUNNING, State.WAITING),
        "words": progress({"phase": str(entry.state), "position": position}, {}),
        "news": {},
        "grade": grade_of(desk, person, entry.id),
        "reviews": reviews_json(desk, entry.id),
        "receipts": desk.ledger.receipts(desk.settings.course, submission=entry.id),
        "staged": desk.ledger.staged(desk.settings.course, entry.assignment).get(entry.id) if person.staff else None,
    }
