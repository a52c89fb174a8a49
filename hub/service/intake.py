"""From bytes at the door to a receipt. In this order, so that nothing is lost and nobody pays for our failures:

door token → size → `receive_bytes` (the student's sentence) → grading token → ledger → wake the grader → receipt.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from datetime import datetime

from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from autograder.api import Assignment, Purpose, Receipt, State, SubmissionError, read_project_bytes, receive_bytes
from hub.service.access import Desk
from hub.service.identity import Person
from hub.service.settings import KIB, Bucket
from hub.service.wording import CLOSED, OURS, SLOW_DOWN, TOO_LARGE, duration

STAMP = "%Y-%m-%d %H:%M:%S.%f UTC"  # nbgrader's own form of a time
_MAX_NAME = 200
_MAX_TRIES = 1000  # of one assignment that are looked through for the same bytes
_ARCHIVES = (".ipynb", ".zip", ".tar", ".gz", ".tgz")


def stamp_of(when: datetime) -> str:
    """A receipt's time as the exchange names it."""
    return when.strftime(STAMP)


def _spend(desk: Desk, name: str, bucket: Bucket, what: str) -> None:
    wait_s = desk.ledger.spend(name, capacity=bucket.capacity, refill_per_s=1 / bucket.refill_s)
    if not wait_s <= 0:
        desk.metrics.refused.labels("rate").inc()
        after = math.ceil(min(wait_s, 86_400.0))
        words = SLOW_DOWN.format(what=what, wait=duration(after))
        raise HTTPException(429, words, {"Retry-After": str(after)})


def _grading_bucket(desk: Desk, student: str, assignment: str, purpose: Purpose) -> tuple[str, Bucket, str]:
    if purpose is Purpose.TRY:
        return f"try/{desk.settings.course}/{student}", desk.settings.trial, "tries on the grading hardware"
    return f"grade/{desk.settings.course}/{assignment}/{student}", desk.settings.grade, "gradings of this assignment"


async def body(request: Request, limit: int, within_s: float) -> bytes:
    """The body, read no further than the limit.

    Raises:
        HTTPException: 413 beyond the limit, 408 when it does not arrive in time.
    """
    too_large = HTTPException(413, TOO_LARGE.format(limit=limit // KIB))
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(within_s):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise too_large
                parts.append(part)
    except TimeoutError as error:
        raise HTTPException(408, "The upload did not arrive in time; nothing was taken in. Send it again.") from error
    return b"".join(parts)


def plain_name(name: str) -> str:
    """The last part of a file's name.

    Raises:
        HTTPException: 422, it cannot be shown or stored.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not last or len(last) > _MAX_NAME or not last.isprintable():
        raise HTTPException(422, "The file's name is empty, too long, or holds odd characters; rename the file.")
    return last


def upload_limit(desk: Desk, assignment: Assignment, name: str) -> int:
    """A notebook carries outputs and an archive unpacks, so their own limits apply after they are read."""
    own = assignment.limits.submission_kb * KIB
    return max(own, desk.settings.upload_bytes) if name.lower().endswith(_ARCHIVES) else own


async def hand_in(
    desk: Desk, request: Request, person: Person, slug: str, name: str, purpose: Purpose, channel: str
) -> Receipt:
    """Takes a request's body in.

    Raises:
        HTTPException: 404, 408, 413, 422, 429 or 503, with the sentence that the student reads.
    """
    assignment = await run_in_threadpool(at_the_door, desk, person, slug)
    name = plain_name(name)
    try:
        raw = await body(request, upload_limit(desk, assignment, name), desk.settings.upload_s)
    except HTTPException:
        desk.metrics.refused.labels("size").inc()
        raise
    return await run_in_threadpool(take, desk, person, assignment, name, raw, purpose, channel)


def at_the_door(desk: Desk, person: Person, slug: str) -> Assignment:
    """The assignment, once the door's token is paid."""
    assignment = desk.assignment(slug)
    _spend(desk, f"door/{desk.settings.course}/{person.name}", desk.settings.door, "attempts to submit")
    return assignment


def take(
    desk: Desk, person: Person, assignment: Assignment, name: str, raw: bytes, purpose: Purpose, channel: str
) -> Receipt:
    """Checks, stores, wakes the grader. Blocking: runs in a thread."""
    began = time.perf_counter()
    try:
        cores, gpu = _needs(assignment, name, raw)
    except SubmissionError as error:
        desk.metrics.refused.labels("content").inc()
        raise HTTPException(422, str(error)) from error
    if purpose is Purpose.GRADE and not person.staff:
        desk.dated()
        _still_open(desk, person.name, assignment.slug)
    again = purpose is Purpose.TRY and _tried(desk, person.name, assignment.slug, raw)
    key, bucket, what = _grading_bucket(desk, person.name, assignment.slug, purpose)
    _spend(desk, key, bucket, what)
    stored = False
    try:
        receipt = desk.ledger.submit(
            course=desk.settings.course,
            assignment=assignment.slug,
            student=person.name,
            name=name,
            content=raw,
            channel=channel,
            purpose=purpose,
            cores=cores,
            gpu=gpu,
        )
        # known bytes are not graded twice; a try of known bytes is measured again, unless it is still to be measured
        stored = not receipt.duplicate or again
    finally:
        if not stored:  # ours failed, or nothing will be graded for this token
            desk.ledger.refund(key, capacity=bucket.capacity)
    desk.grader.wake()
    desk.metrics.submissions.labels(str(purpose), str(receipt.duplicate).lower()).inc()
    desk.metrics.receipt_s.observe(time.perf_counter() - began)
    return receipt


def _tried(desk: Desk, student: str, slug: str, raw: bytes) -> bool:
    """Whether a try of these bytes is over."""
    digest = hashlib.sha256(raw).hexdigest()
    found = desk.ledger.entries(
        desk.settings.course, assignment=slug, student=student, purpose=Purpose.TRY, limit=_MAX_TRIES
    )
    return any(e.sha256 == digest and e.state in (State.GRADED, State.STAFF) for e in found)


def _needs(assignment: Assignment, name: str, raw: bytes) -> tuple[int, bool]:
    """Cores, and whether a GPU: an assignment's own, or those of the claims of a project.

    Raises:
        SubmissionError: what arrived cannot be taken in.
    """
    limit = assignment.limits.submission_kb
    if assignment.project:
        project, _ = read_project_bytes(name, raw, assignment.resources.cores, limit)
        return max(c.resources.cores for c in project.claims), any(c.kind == "gpu" for c in project.claims)
    receive_bytes(name, raw, limit)
    return assignment.resources.cores, assignment.kind == "gpu"


def _still_open(desk: Desk, student: str, slug: str) -> None:
    closes = desk.deadlines.closes(slug, student)
    if closes is not None and desk.ledger.clock() > closes:
        desk.metrics.refused.labels("closed").inc()
        raise HTTPException(403, CLOSED.format(slug=slug, when=f"{closes:%Y-%m-%d %H:%M %Z}"))


def refund_what_was_ours(desk: Desk, submission: int) -> None:
    """After a grading: what we could not decide, in part or at all, costs no token."""
    desk.metrics.gradings.inc()
    entry, grade = desk.ledger.entry(submission), desk.ledger.grade_json(submission)
    if entry is None or entry.course != desk.settings.course:
        return
    gave_up = grade is None and entry.state is State.STAFF
    if gave_up or any(c["verdict"] in OURS for c in (grade or {"criteria": ()})["criteria"]):
        key, bucket, _ = _grading_bucket(desk, entry.student, entry.assignment, entry.purpose)
        desk.ledger.refund(key, capacity=bucket.capacity)
