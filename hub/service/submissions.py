"""The API of submissions: hand in, list, look, review, grade again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from autograder.api import Purpose
from hub.service.access import AtDesk, Id, Instructor, Slug, Ta, Visitor, Word
from hub.service.charts import drawn, report_of
from hub.service.grades import export
from hub.service.intake import hand_in
from hub.service.regrades import difference, preview, regrade_all
from hub.service.views import entry_json, nothing_yet, receipt_json, submission_json

router = APIRouter(prefix="/api", tags=["submissions"])

REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
# no control characters, which no database and no page takes well
_TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"


class ReviewBody(BaseModel):
    """A TA's points beside the grade."""

    model_config = ConfigDict(extra="forbid")
    points: float = Field(ge=0, le=1e6, allow_inf_nan=False)
    reason: str = Field(min_length=1, max_length=2000, pattern=_TEXT)


class RegradeBody(BaseModel):
    """Whether to only say what would happen; staged verdicts wait for a decision on the staff's page."""

    model_config = ConfigDict(extra="forbid")
    dry_run: bool = True
    staged: bool = False


@router.get("/health")
def health(desk: AtDesk) -> dict[str, str]:
    """Whether the service and its ledger answer."""
    desk.ledger.ping()
    return {"status": "ok"}


@router.get("/me")
def me(person: Visitor, desk: AtDesk) -> dict[str, str]:
    """Who the service thinks you are."""
    return {"name": person.name, "course": desk.settings.course, "role": person.role}


@router.get("/assignments")
def assignments(person: Visitor, desk: AtDesk) -> list[dict[str, Any]]:
    """Assignments of the course."""
    released = {a["assignment"] for a in desk.ledger.artefacts(desk.settings.course, "released")}
    return [
        {
            "slug": a.slug,
            "title": a.title,
            "kind": str(a.kind),
            "max_score": a.attainable,
            "released": a.slug in released,
            "due": due.isoformat() if (due := desk.deadlines.due(a.slug, person.name)) else None,
        }
        for a in desk.catalogue.all()
    ]


@router.post(
    "/assignments/{slug}/submissions",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def submit(
    request: Request,
    slug: Slug,
    person: Visitor,
    desk: AtDesk,
    purpose: Purpose = Purpose.GRADE,
    filename: Annotated[str, Query(max_length=1000)] = "solution.py",
) -> dict[str, Any]:
    """Hand in one file: a .py, an .ipynb, a .zip or a .tar.gz."""
    receipt = await hand_in(desk, request, person, slug, filename, purpose, "api")
    return {"receipt": receipt_json(receipt), "url": f"{desk.settings.prefix}api/submissions/{receipt.submission}"}


@router.get("/submissions")
def submissions(
    person: Visitor,
    desk: AtDesk,
    assignment: Word = None,
    student: Word = None,
    purpose: Purpose | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> list[dict[str, Any]]:
    """Newest first; students see their own."""
    found = desk.ledger.entries(
        desk.settings.course,
        assignment=assignment,
        student=desk.scope(person, student),
        purpose=purpose,
        limit=limit,
        offset=offset,
    )
    return [entry_json(e) | ({} if person.staff else {"problem": ""}) for e in found]


@router.get("/submissions/{submission}")
def submission(submission: Id, person: Visitor, desk: AtDesk) -> dict[str, Any]:
    """One submission with its place in the queue, its reviews and its verdict."""
    return submission_json(desk, person, submission)


@router.get("/submissions/{submission}/report", response_class=HTMLResponse)
async def report(submission: Id, person: Visitor, desk: AtDesk) -> Response:
    """The verdict as a page that stands alone; students get it without hidden details."""

    def whole() -> Response:
        text = report_of(desk, person, desk.own(person, submission))
        if text is None:
            raise nothing_yet()
        return HTMLResponse(text, headers={"Content-Security-Policy": REPORT_POLICY})

    return await drawn(whole)


@router.get("/receipts/{receipt}")
def receipt(receipt: Slug, person: Visitor, desk: AtDesk) -> dict[str, Any]:
    """One receipt."""
    found = desk.ledger.receipt(receipt)
    desk.own(person, found.submission if found else 0)
    assert found is not None
    return receipt_json(found)


@router.post("/submissions/{submission}/review", status_code=201)
def review(submission: Id, body: ReviewBody, person: Ta, desk: AtDesk) -> dict[str, Any]:
    """Points beside the grade, with a reason; the grade itself stays."""
    entry = desk.own(person, submission)
    desk.ledger.review(entry.id, by=person.name, points=body.points, reason=body.reason)
    return submission_json(desk, person, entry.id)


@router.post("/submissions/{submission}/regrade", status_code=202)
def regrade(submission: Id, person: Ta, desk: AtDesk, staged: bool = False) -> dict[str, Any]:
    """Grade again behind live work; the old grade stands until then, or, staged, until it is made live."""
    entry = desk.own(person, submission)
    desk.ledger.regrade(entry.id, by=person.name, staged=staged)
    desk.grader.wake()
    return submission_json(desk, person, entry.id)


@router.post("/assignments/{slug}/regrade")
def regrade_assignment(slug: Slug, body: RegradeBody, person: Instructor, desk: AtDesk) -> dict[str, Any]:
    """Grade what counts for every student again, or say what that would be."""
    assignment = desk.assignment(slug)
    rows = preview(desk, slug) if body.dry_run else regrade_all(desk, assignment.slug, person, staged=body.staged)
    return {"dry_run": body.dry_run, "submissions": rows}


@router.get("/assignments/{slug}/regrade")
def regrade_state(slug: Slug, person: Ta, desk: AtDesk) -> list[dict[str, Any]]:
    """What the last regrade changed, and what staged verdicts would change."""
    return [
        {"submission": row["entry"].id, "student": row["entry"].student}
        | {k: row[k] for k in ("before", "now", "change", "where", "review")}
        | {"criteria": row["words"]}
        for row in difference(desk, desk.assignment(slug).slug)
    ]


@router.get("/assignments/{slug}/grades.csv")
def grades_csv(
    slug: Slug, person: Ta, desk: AtDesk, format: Annotated[Literal["canvas", "moodle", "full"], Query()] = "canvas"
) -> Response:
    """What counts for every student, as the learning management system imports it."""
    desk.dated()
    text = export(desk, desk.assignment(slug), format)
    headers = {"Content-Disposition": f'attachment; filename="{slug}-{format}.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/nodes")
def nodes(person: Ta, desk: AtDesk) -> JSONResponse:
    """The machines that grade."""
    return JSONResponse(
        [{k: v for k, v in n.items() if isinstance(v, (str, int, float, bool))} for n in desk.grader.nodes()]
    )
