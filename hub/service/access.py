"""Who may see what. Every route takes its visitor, and every thing of a student's, from here."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, HTTPException, Path, Query, Request

from autograder.api import Assignment, CourseError, Entry, Ledger, showcase_opens
from hub.service.catalogue import Catalogue
from hub.service.cells import CellRuns
from hub.service.deadlines import Deadlines
from hub.service.identity import Identity, Person, csrf_token, same_site
from hub.service.metrics import Metrics
from hub.service.ports import Grader
from hub.service.settings import Settings
from hub.service.wording import NOT_FOUND, UNDATED

# what may stand in a path or a query; anything else is refused before it reaches a query of ours
Slug = Annotated[str, Path(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,99}$")]
Id = Annotated[int, Path(ge=1, le=2**53)]
Word = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,99}$")]
Page = Annotated[int, Query(ge=1, le=100_000)]
_FIELD_BYTES = 16  # of the shortest field that a page of ours repeats


@dataclass(frozen=True, slots=True)
class Desk:
    """What every route works with.

    Attributes:
        unwritten: what could not be brought into the gradebook, and why.
    """

    settings: Settings
    ledger: Ledger
    grader: Grader
    identity: Identity
    catalogue: Catalogue
    metrics: Metrics
    cells: CellRuns
    unwritten: Callable[[], list[str]] = list

    @property
    def deadlines(self) -> Deadlines:
        """What is due when."""
        return Deadlines(self.ledger, self.settings.course, self.catalogue)

    def shows(self, person: Person) -> bool:
        """Whether there is a showcase for this person to see: for the class, from the first minute of its day on."""
        if person.staff:
            return self.catalogue.project() is not None
        try:
            programme = self.catalogue.programme()
            return programme is not None and self.ledger.clock() >= showcase_opens(programme)
        except CourseError:  # staff read what is wrong with it where they look at the showcase
            return False

    def dated(self) -> None:
        """Nothing is taken in, and no file of points is made, while nobody can say what is due.

        Raises:
            HTTPException: 503.
        """
        if self.catalogue.undated():
            raise HTTPException(503, UNDATED, {"Retry-After": "600"})

    def own(self, person: Person, submission: int) -> Entry:
        """A submission that this person may see; anybody else's does not exist for them."""
        entry = self.ledger.entry(submission)
        if entry is None or entry.course != self.settings.course or not (person.staff or entry.student == person.name):
            raise HTTPException(404, NOT_FOUND)
        return entry

    def scope(self, person: Person, student: str | None) -> str | None:
        """Whose things are listed: a student's own, or for staff whoever they asked for."""
        if person.staff:
            return student
        if student not in (None, person.name):
            raise HTTPException(404, NOT_FOUND)
        return person.name

    def assignment(self, slug: str) -> Assignment:
        """One of the course."""
        found = self.catalogue.get(slug)
        if found is None:
            raise HTTPException(404, f"There is no assignment '{slug}' in this course.")
        return found


class LoginNeeded(Exception):
    """A page was asked for without a session; answered by a redirect to the login."""

    def __init__(self, request: Request) -> None:
        self.target = request.url.path if request.method == "GET" else request.app.state.desk.settings.prefix


def at_desk(request: Request) -> Desk:
    """The desk of this app."""
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(at_desk)]


def _header_token(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() in ("token", "bearer") else ""


async def visitor(request: Request) -> Person:
    """By header; by cookie only for reading, so that no other site can make a browser change anything."""
    desk = at_desk(request)
    token = _header_token(request)
    if not token and request.method in ("GET", "HEAD"):
        token = request.cookies.get(desk.identity.cookie, "")
    person = await desk.identity.person(token) if token else None
    if person is None:
        problem = "Send a token of this course as 'Authorization: token …'."
        raise HTTPException(401, problem, {"WWW-Authenticate": "Bearer"})
    return person


async def reader(request: Request) -> Person:
    """The visitor of a page."""
    desk = at_desk(request)
    session = request.cookies.get(desk.identity.cookie, "")
    person = await desk.identity.person(session) if session else None
    if person is None:
        raise LoginNeeded(request)
    request.state.person, request.state.session = person, session
    return person


async def posted(request: Request, person: Annotated[Person, Depends(reader)]) -> AsyncIterator[Any]:
    """The form of a page, proved to be ours by site and token."""
    limit = at_desk(request).settings
    most = limit.form_bytes // _FIELD_BYTES  # a decision on a class is a field per verdict
    async with request.form(max_files=1, max_fields=most, max_part_size=limit.form_bytes) as form:
        sent = str(form.get("csrf", "")).encode("utf-8", "replace")
        if not same_site(request) or not hmac.compare_digest(sent, csrf_token(request.state.session).encode()):
            raise HTTPException(403, "This form did not come from a page of ours, or is too old; open the page again.")
        yield form


def _must(role: str, source: Callable[..., Any]) -> Any:
    def check(person: Person = Depends(source)) -> Person:  # noqa: B008  # an annotation could not see `source` here
        if not person.at_least(role):
            raise HTTPException(403, f"This is for the course's staff (role {role} or above).")
        return person

    return Depends(check)


Visitor = Annotated[Person, Depends(visitor)]
Ta = Annotated[Person, _must("ta", visitor)]
Instructor = Annotated[Person, _must("instructor", visitor)]
Reader = Annotated[Person, Depends(reader)]
StaffReader = Annotated[Person, _must("ta", reader)]
ChiefReader = Annotated[Person, _must("instructor", reader)]
Form = Annotated[Any, Depends(posted)]


def login_path(prefix: str, target: str) -> str:
    """The login, which leads back."""
    return f"{prefix}login?next={quote(target, safe='')}"
