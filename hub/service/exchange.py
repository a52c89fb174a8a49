"""nbgrader's exchange over HTTP: release, fetch, submit, collect, feedback. Archives are opaque here except at intake."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import tarfile
import zlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from autograder.api import Purpose, Receipt
from hub.service.access import AtDesk, Desk, Id, Instructor, Slug, Ta, Visitor, Word
from hub.service.grades import by_people, every
from hub.service.intake import body, hand_in, stamp_of
from hub.service.views import finite, receipt_json
from hub.service.wording import CELLS_FAILED, CELLS_LATER, NOT_FOUND

_GZIP = b"\x1f\x8b"
_MAX_MEMBERS = 5000
_NOTEBOOKS: dict[str, list[str]] = {}  # of releases by digest: every student's list asks for them

Stamp = Annotated[str, Path(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} UTC$")]


Seconds = Annotated[float, Query(ge=0, le=90)]


def _this_course(course: Slug, desk: AtDesk) -> None:
    if course != desk.settings.course:
        raise HTTPException(404, f"There is no course '{course}' here.")


router = APIRouter(prefix="/api/exchange/{course}", tags=["exchange"], dependencies=[Depends(_this_course)])

_ARCHIVE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def _listed(content: bytes) -> list[str]:
    """Notebooks in an archive, in order.

    Raises:
        HTTPException: 422, it is no .tar.gz.
    """
    try:
        if content[:2] != _GZIP:
            raise tarfile.ReadError("not gzip")
        names = []
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            for count, member in enumerate(archive):
                if count >= _MAX_MEMBERS:
                    raise tarfile.ReadError("too many members")
                name = member.name.removeprefix("./")
                if member.isreg() and name.endswith(".ipynb") and name.isprintable():
                    names.append(name)
        return sorted(names)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise HTTPException(422, "The body must be a .tar.gz archive that opens.") from error


async def _archive(request: Request, desk: Desk) -> tuple[bytes, list[str]]:
    content = await body(request, desk.settings.archive_bytes, desk.settings.upload_s)
    return content, await run_in_threadpool(_listed, content)


def _packed(content: bytes | None) -> Response:
    if content is None:
        raise HTTPException(404, NOT_FOUND)
    kind = "application/gzip" if content[:2] == _GZIP else "application/octet-stream"
    return Response(content, media_type=kind)


# releases


@router.put("/released/{assignment}", status_code=201, openapi_extra=_ARCHIVE)
async def release(request: Request, assignment: Slug, person: Instructor, desk: AtDesk) -> dict[str, Any]:
    """What students will fetch; the newest counts."""
    content, notebooks = await _archive(request, desk)
    stamp = stamp_of(desk.ledger.clock())
    await run_in_threadpool(
        desk.ledger.put_artefact, desk.settings.course, "released", assignment, "", stamp, content, person.name
    )
    return {
        "assignment": assignment,
        "stamp": stamp,
        "sha256": hashlib.sha256(content).hexdigest(),
        "notebooks": notebooks,
    }


@router.get("/released")
def released(person: Visitor, desk: AtDesk) -> list[dict[str, Any]]:
    """What there is to fetch."""
    rows = []
    for row in desk.ledger.artefacts(desk.settings.course, "released"):
        if row["sha256"] not in _NOTEBOOKS:
            content = desk.ledger.artefact(desk.settings.course, "released", row["assignment"]) or b""
            _NOTEBOOKS[hashlib.sha256(content).hexdigest()] = _listed(content)
        notebooks = _NOTEBOOKS.get(row["sha256"], [])
        rows.append({k: row[k] for k in ("assignment", "stamp", "sha256")} | {"notebooks": notebooks})
    return rows


@router.get("/released/{assignment}")
def fetch(assignment: Slug, person: Visitor, desk: AtDesk) -> Response:
    """The archive of a release."""
    return _packed(desk.ledger.artefact(desk.settings.course, "released", assignment))


@router.delete("/released/{assignment}", status_code=204)
def withdraw(assignment: Slug, person: Instructor, desk: AtDesk) -> None:
    """Takes a release back; nobody can fetch it any more."""
    if desk.ledger.artefact(desk.settings.course, "released", assignment) is None:
        raise HTTPException(404, NOT_FOUND)
    desk.ledger.withdraw_artefact(desk.settings.course, "released", assignment, person.name)


# submissions


@router.post("/submitted/{assignment}", status_code=201, openapi_extra=_ARCHIVE)
async def submit(request: Request, assignment: Slug, person: Visitor, desk: AtDesk) -> dict[str, Any]:
    """A student's folder; grading starts at once."""
    receipt = await hand_in(desk, request, person, assignment, f"{assignment}.tar.gz", Purpose.GRADE, "exchange")
    return {"receipt": receipt_json(receipt), "stamp": stamp_of(receipt.received_at)}


@router.get("/submitted")
def submitted(person: Visitor, desk: AtDesk, assignment: Word = None, student: Word = None) -> list[dict[str, Any]]:
    """One row per receipt of a grading, oldest first."""
    rows, owner = [], desk.scope(person, student)
    entries = {e.id: e for e in every(desk, student=owner, assignment=assignment, purpose=Purpose.GRADE)}
    late = {i: v for slug in {e.assignment for e in entries.values()} for i, v in desk.deadlines.every(slug).items()}
    for receipt in _receipts(desk, owner, assignment):
        entry = entries.get(receipt.submission)
        if entry is None:
            continue
        rows.append(
            {
                "late_points": late[entry.id].points if entry.id in late else 0.0,
                "assignment": receipt.assignment,
                "student": receipt.student,
                "stamp": stamp_of(receipt.received_at),
                "sha256": receipt.sha256,
                "name": entry.name,
                "submission": receipt.submission,
                "state": str(entry.state),
                "score": entry.score,
                "max_score": entry.max_score,
            }
        )
    return rows


def _receipts(desk: Desk, student: str | None, assignment: str | None) -> list[Receipt]:
    return desk.ledger.receipts(desk.settings.course, student=student, assignment=assignment)


@router.get("/submitted/{assignment}/{student}/{stamp}")
def collect(assignment: Slug, student: Slug, stamp: Stamp, person: Visitor, desk: AtDesk) -> Response:
    """The bytes as they were handed in."""
    for receipt in _receipts(desk, desk.scope(person, student), assignment):
        if stamp_of(receipt.received_at) == stamp:
            return _packed(desk.ledger.content(receipt.submission))
    raise HTTPException(404, NOT_FOUND)


@router.get("/grades/{submission}")
def grade(submission: Id, person: Ta, desk: AtDesk) -> Response:
    """The full verdict, for the gradebook."""
    entry = desk.own(person, submission)
    found = desk.ledger.grade_json(entry.id) or by_people(desk, entry)
    if found is None:
        raise HTTPException(404, "There is no verdict yet.")
    return JSONResponse(finite(found))


@router.get("/cells/{submission}")
async def cells(submission: Id, person: Ta, desk: AtDesk, wait: Seconds = 0.0) -> Response:
    """What the notebook's cells show when they are run after handing in; the first to ask has them run."""
    await run_in_threadpool(desk.own, person, submission)
    run = await run_in_threadpool(desk.cells.ask, submission)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(run)), wait)
    found = await run_in_threadpool(desk.cells.stored, submission)
    if found is None:
        raise HTTPException(404, CELLS_FAILED if run.done() else CELLS_LATER)
    return Response(found, media_type="application/json")


# feedback


@router.put("/feedback/{assignment}/{student}/{stamp}", status_code=201, openapi_extra=_ARCHIVE)
async def give_feedback(
    request: Request, assignment: Slug, student: Slug, stamp: Stamp, person: Ta, desk: AtDesk
) -> dict[str, str]:
    """Feedback on one submission; the newest counts."""
    content, _ = await _archive(request, desk)
    await run_in_threadpool(
        desk.ledger.put_artefact, desk.settings.course, "feedback", assignment, student, stamp, content, person.name
    )
    return {"assignment": assignment, "student": student, "stamp": stamp, "sha256": hashlib.sha256(content).hexdigest()}


@router.get("/feedback")
def feedback(person: Visitor, desk: AtDesk, assignment: Word = None, student: Word = None) -> list[dict[str, Any]]:
    """What feedback there is."""
    rows = desk.ledger.artefacts(
        desk.settings.course, "feedback", assignment=assignment, student=desk.scope(person, student)
    )
    return [{k: r[k] for k in ("assignment", "student", "stamp", "sha256", "size")} for r in rows]


@router.get("/feedback/{assignment}/{student}/{stamp}")
def fetch_feedback(assignment: Slug, student: Slug, stamp: Stamp, person: Visitor, desk: AtDesk) -> Response:
    """The archive of a feedback."""
    owner = desk.scope(person, student) or student
    return _packed(desk.ledger.artefact(desk.settings.course, "feedback", assignment, owner, stamp))
