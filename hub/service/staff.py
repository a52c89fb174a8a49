"""What staff see and do: the queue, every assignment at a glance, reviews, regrades, extensions, the audit."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Request, Response

from autograder.api import AutograderError, State
from hub.service import charts
from hub.service.access import AtDesk, ChiefReader, Form, Id, Page, Slug, StaffReader, Word
from hub.service.forms import back, line
from hub.service.grades import criteria, failing, needs_a_look, opponents, speedups, standings
from hub.service.regrades import difference, picked, preview, regrade_all
from hub.service.render import render

router = APIRouter(prefix="/staff", include_in_schema=False)
_ROWS = 100
_SVG_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
_MAX_REASON = 2000


@router.get("")
@router.get("/queue")
def overview(request: Request, person: StaffReader, desk: AtDesk) -> Response:
    """Queue and nodes; the second path is the part of the page that renews itself."""
    part = request.url.path.endswith("/queue")
    course = desk.settings.course
    return render(
        request,
        "staff_queue.html" if part else "staff.html",
        counts=desk.ledger.counts(),
        nodes=desk.grader.nodes(),
        waiting=[
            e
            for s in (State.RUNNING, State.QUEUED, State.WAITING)
            for e in desk.ledger.entries(course, state=s, limit=25)
        ],
        stuck=desk.ledger.entries(course, state=State.STAFF, limit=25),
        assignments=desk.catalogue.all(),
        titles={a.slug: a.title for a in desk.catalogue.all()},
        broken=[] if part else desk.catalogue.broken(),
        unwritten=[] if part else desk.unwritten(),
    )


@router.post("/nodes/examine")
def examine(person: StaffReader, form: Form, desk: AtDesk) -> Response:
    """A node's A/A duel, now instead of tonight."""
    if not desk.grader.examine(line(form, "node", 200)):
        raise HTTPException(422, "No such node answers, or nodes are not examined here (AUTOGRADER_CHECK_HOUR).")
    return back(desk, "staff")


@router.get("/submissions")
def submissions(
    request: Request,
    person: StaffReader,
    desk: AtDesk,
    assignment: str = "",
    student: str = "",
    state: str = "",
    page: Page = 1,
) -> Response:
    """Everybody's, filtered."""
    found = desk.ledger.entries(
        desk.settings.course,
        assignment=_word(assignment),
        student=_word(student),
        state=State(state) if state in list(State) else None,
        limit=_ROWS + 1,
        offset=(page - 1) * _ROWS,
    )
    return render(
        request,
        "staff_submissions.html",
        entries=found[:_ROWS],
        more=len(found) > _ROWS,
        page=page,
        states=[str(s) for s in State],
        assignments=desk.catalogue.all(),
        chosen={"assignment": assignment, "student": student, "state": state},
        titles={a.slug: a.title for a in desk.catalogue.all()},
    )


def _word(text: str) -> str | None:
    return text[:200].replace("\0", "") or None


@router.get("/assignments/{slug}")
def assignment(request: Request, slug: Slug, person: StaffReader, desk: AtDesk) -> Response:
    """How the class does."""
    found, counting = desk.assignment(slug), standings(desk, slug)
    rows = criteria(desk, slug, counting)
    points = [s.points for s in counting if s.points is not None]
    return render(
        request,
        "staff_assignment.html",
        assignment=found,
        counting=counting,
        graded=len(points),
        bins=charts.bins(points, found.attainable),
        failing=failing(found, rows),
        speedups=speedups(found, rows),
        look=needs_a_look(desk, found, counting, rows),
    )


@router.get("/assignments/{slug}/scores.svg")
async def scores_svg(slug: Slug, person: StaffReader, desk: AtDesk) -> Response:
    """The distribution of points."""

    def picture() -> Response:
        points = [s.points for s in standings(desk, slug) if s.points is not None]
        return _picture(charts.scores(points, desk.assignment(slug).attainable))

    return await charts.drawn(picture)


@router.get("/assignments/{slug}/speedups.svg")
async def speedups_svg(slug: Slug, person: StaffReader, desk: AtDesk) -> Response:
    """Every student's speedup beside the tiers."""

    def picture() -> Response:
        found = desk.assignment(slug)
        measured = speedups(found, criteria(desk, slug, standings(desk, slug)))
        tiers = {c.title: [t.threshold for t in c.tiers] for c in found.criteria}
        return _picture(charts.speedups(measured, tiers, opponents(found, measured)))

    return await charts.drawn(picture)


def _picture(text: str) -> Response:
    return Response(text, media_type="image/svg+xml", headers=_SVG_POLICY)


@router.get("/assignments/{slug}/regrade")
def regrade_page(request: Request, slug: Slug, person: StaffReader, desk: AtDesk) -> Response:
    """What a regrade would queue, and what the last one changed or would change."""
    found, changes = desk.assignment(slug), difference(desk, slug)
    waiting = [c for c in changes if c["pick"]]
    going = [c for c in changes if c["where"] == "under way"]
    return render(
        request,
        "staff_regrade.html",
        assignment=found,
        rows=preview(desk, slug),
        changes=changes,
        waiting=waiting,
        going=going,
    )


@router.post("/assignments/{slug}/regrade")
def regrade_assignment(slug: Slug, person: ChiefReader, form: Form, desk: AtDesk) -> Response:
    """Queues it; nothing becomes live."""
    regrade_all(desk, desk.assignment(slug).slug, person, staged=True)
    return back(desk, f"staff/assignments/{slug}/regrade")


@router.post("/assignments/{slug}/staged")
def decide(slug: Slug, person: StaffReader, form: Form, desk: AtDesk) -> Response:
    """Makes chosen verdicts live, or discards them; one by a TA, many by an instructor."""
    found = desk.assignment(slug)
    staged = desk.ledger.staged(desk.settings.course, found.slug)
    live = form.get("action") == "live"
    if not live and form.get("action") != "discard":
        raise HTTPException(422, "Say whether to make them live or to discard them.")
    try:
        seen = picked(form.getlist("pick"))
    except ValueError as error:
        raise HTTPException(422, "This names no verdict; open the page again.") from error
    chosen = list(staged) if form.get("everything") and not live else [i for i in seen if i in staged]
    if not chosen:
        raise HTTPException(422, "None of them is staged any more, or none was chosen; open the page again.")
    if len(chosen) > 1 and not person.at_least("instructor"):
        raise HTTPException(403, "Only an instructor may decide on more than one at once.")
    if live:
        desk.ledger.make_live(chosen, by=person.name, seen=seen)
    else:
        desk.ledger.discard(chosen, by=person.name)
    return back(desk, f"staff/assignments/{found.slug}/regrade")


@router.post("/submissions/{submission}/regrade")
def regrade(submission: Id, person: StaffReader, form: Form, desk: AtDesk) -> Response:
    """One again; its verdict waits on the assignment's page of regrades."""
    entry = desk.own(person, submission)
    desk.ledger.regrade(entry.id, by=person.name, staged=True)
    desk.grader.wake()
    return back(desk, f"submissions/{entry.id}")


@router.post("/submissions/{submission}/review")
def review(submission: Id, person: StaffReader, form: Form, desk: AtDesk) -> Response:
    """Points beside the grade."""
    entry = desk.own(person, submission)
    reason = line(form, "reason", _MAX_REASON)
    try:
        points = float(str(form.get("points", "")))
    except ValueError:
        points = math.nan
    if not (0 <= points <= 1e6):
        raise HTTPException(422, "Points must be a number from 0.")
    if not reason:
        raise HTTPException(422, "A review needs a reason; the student reads it.")
    desk.ledger.review(entry.id, by=person.name, points=points, reason=reason)
    return back(desk, f"submissions/{entry.id}")


@router.get("/extensions")
def extensions(request: Request, person: StaffReader, desk: AtDesk, assignment: Word = None) -> Response:
    """Later deadlines of one assignment, and a form."""
    slugs = [a.slug for a in desk.catalogue.all()]
    slug = assignment or (slugs[0] if slugs else "")
    students = [n for n, role in desk.ledger.members(desk.settings.course).items() if role == "student"]
    found = [(n, desk.ledger.extension(desk.settings.course, slug, n)) for n in students]
    return render(
        request,
        "staff_extensions.html",
        assignments=desk.catalogue.all(),
        slug=slug,
        term=desk.catalogue.term(),
        students=students,
        granted=[(n, until) for n, until in found if until is not None],
    )


@router.post("/extensions")
def extend(person: StaffReader, form: Form, desk: AtDesk) -> Response:
    """Grants one."""
    slug, student = line(form, "assignment", 100), line(form, "student", 200)
    desk.assignment(slug)
    if student not in desk.ledger.members(desk.settings.course):
        raise HTTPException(422, "Nobody of that name is in this course; pick one from the list.")
    try:
        term = desk.catalogue.term()
        zone = ZoneInfo(term.timezone) if term else UTC
        until = datetime.fromisoformat(line(form, "until", 40)).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise HTTPException(422, "Give the new deadline as a date and a time.") from error
    desk.ledger.extend(desk.settings.course, slug, student, until=until, by=person.name)
    return back(desk, f"staff/extensions?assignment={slug}")


@router.get("/audit")
def audit(
    request: Request, person: StaffReader, desk: AtDesk, page: Page = 1, verify: Annotated[bool, Query()] = False
) -> Response:
    """Who did what; on request the chain of hashes is walked."""
    checked, problem = 0, ""
    if verify:
        try:
            checked = desk.ledger.verify_audit()
        except AutograderError as error:
            problem = str(error)
    rows = desk.ledger.audit(limit=_ROWS + 1, offset=(page - 1) * _ROWS)
    return render(
        request,
        "staff_audit.html",
        rows=rows[:_ROWS],
        more=len(rows) > _ROWS,
        page=page,
        verify=verify,
        checked=checked,
        problem=problem,
    )
