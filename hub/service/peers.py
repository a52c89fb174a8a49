"""Teams read each other: two reviews of each project, signed, and the class's vote. Neither is ever a number in a grade.

Who hands a project in speaks for the team here. What was dealt, written and voted are artefacts of the ledger: the newest
counts, none is lost, and the audit knows of each.
"""

from __future__ import annotations

import json
import random
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from autograder.api import AutograderError, Entry, Purpose, read_project_bytes
from hub.service.access import AtDesk, Desk, Form, Id, Reader, StaffReader
from hub.service.forms import back, line
from hub.service.grades import standings
from hub.service.identity import Person
from hub.service.render import render
from hub.service.wording import NOT_FOUND

router = APIRouter(include_in_schema=False)
DEAL, REVIEW, VOTE = "peer-deal", "peer-review", "vote"
EACH = 2  # projects that a team reviews
LEAST, MOST = 200, 10_000  # characters of a review


@dataclass(frozen=True, slots=True)
class Piece:
    """A project as a reader of it sees it.

    Attributes:
        team: those who may be named, and how many more.
        verdicts: code, title and sentence of each claim, for whoever reviews it.
        review: what this reader wrote of it, or nothing.
    """

    entry: Entry
    title: str
    team: str
    verdicts: tuple[tuple[str, str, str], ...] = ()
    review: str = ""


def deal(owners: Iterable[str], known: Mapping[str, list[str]], chance: random.Random) -> dict[str, list[str]]:
    """Who reads whose, of those to whom nothing was dealt yet: everybody `EACH` others, those first that are read least.

    Args:
        owners: who handed a project in.
        known: what was dealt before; it stays.
    """
    everybody = sorted(owners)
    chance.shuffle(everybody)
    new = [o for o in everybody if o not in known]
    if len(new) == len(everybody):  # round a table: everybody reads two and is read twice
        steps = range(1, min(EACH, len(new) - 1) + 1)
        return {o: [new[(i + k) % len(new)] for k in steps] for i, o in enumerate(new)}
    read, made = Counter(o for found in known.values() for o in found), dict[str, list[str]]()
    for reader in new:
        others = sorted((o for o in everybody if o != reader), key=lambda o: read[o])[:EACH]
        made[reader] = others
        read.update(others)
    return made


def dealt(desk: Desk, slug: str) -> dict[str, list[str]]:
    """Reader → owners."""
    rows = desk.ledger.artefacts(desk.settings.course, DEAL, assignment=slug)
    return {r["student"]: json.loads(desk.ledger.blobs.get(r["sha256"])) for r in rows}


def reviews(desk: Desk, slug: str, person: Person) -> dict[tuple[str, str], str]:
    """(Reader, owner) → text, of those that this person may read."""
    rows = desk.ledger.artefacts(desk.settings.course, REVIEW, assignment=slug)
    mine = [r for r in rows if person.staff or person.name in (r["student"], r["stamp"])]
    return {(r["student"], r["stamp"]): desk.ledger.blobs.get(r["sha256"]).decode() for r in mine}


def votes(desk: Desk, slug: str, person: Person) -> dict[str, str]:
    """Voter → owner, of those that this person may know."""
    of = None if person.staff else person.name
    rows = desk.ledger.artefacts(desk.settings.course, VOTE, assignment=slug, student=of)
    return {r["student"]: _chosen(desk.ledger.blobs.get(r["sha256"]).decode()) for r in rows}


def _ballot(owner: str) -> str:
    """With chance in it: its digest stands in the audit beside the voter, and there are few names to try."""
    return json.dumps({"owner": owner, "chance": secrets.token_hex(16)})


def _chosen(ballot: str) -> str:
    """The owner on a ballot; older ones are a mere name."""
    return str(json.loads(ballot)["owner"]) if ballot.startswith("{") else ballot


@router.get("/peers")
def page(request: Request, person: Reader, desk: AtDesk) -> Response:
    """What one has to read, what was written of one's own, and the vote; for staff how far all that is."""
    slug = _slug(desk)
    teams = {s.entry.student: s.entry for s in standings(desk, slug)}
    lists, written, cast = dealt(desk, slug), reviews(desk, slug, person), votes(desk, slug, person)
    mine = [o for o in lists.get(person.name, []) if o in teams]
    shown = teams if person.staff or desk.shows(person) else mine
    pieces = {o: Piece(teams[o], *_about(desk, teams[o])) for o in shown}
    table = [
        (reader, owner, written.get((reader, owner), "")) for reader, found in sorted(lists.items()) for owner in found
    ]
    return render(
        request,
        "peers.html",
        slug=slug,
        mine=[_to_review(desk, pieces[o], written.get((person.name, o), "")) for o in mine],
        theirs=sorted((reader, text) for (reader, owner), text in written.items() if owner == person.name),
        ballot=[p for o, p in pieces.items() if o != person.name] if desk.shows(person) and not person.staff else [],
        cast=cast.get(person.name, ""),
        table=table if person.staff else [],
        pieces=pieces,
        undealt=len(set(teams) - set(lists)),
        teams=len(teams),
        tally=Counter(o for o in cast.values() if o in teams).most_common() if person.staff else [],
        least=LEAST,
        most=MOST,
    )


@router.post("/peers/deal")
def deal_now(person: StaffReader, form: Form, desk: AtDesk) -> Response:
    """To everybody who has a project and nothing to read yet."""
    slug = _slug(desk)
    owners = [s.entry.student for s in standings(desk, slug)]
    if len(owners) < 2:
        raise HTTPException(422, "There are fewer than two projects; nobody can read another's.")
    for reader, found in deal(owners, dealt(desk, slug), random.SystemRandom()).items():
        _keep(desk, DEAL, slug, reader, "", json.dumps(found), person)
    return back(desk, "peers")


@router.get("/peers/{submission}/archive")
def archive(submission: Id, person: Reader, desk: AtDesk) -> Response:
    """The project as it was handed in, for those who review it."""
    entry = _dealt_to(desk, person, submission)
    suffix = ".zip" if entry.name.lower().endswith(".zip") else ".tar.gz"
    named = {"Content-Disposition": f'attachment; filename="project-{entry.id}{suffix}"'}
    return Response(desk.ledger.content(entry.id), media_type="application/octet-stream", headers=named)


@router.post("/peers/{submission}/review")
def write(submission: Id, person: Reader, form: Form, desk: AtDesk) -> Response:
    """A review; the newest counts."""
    entry = _dealt_to(desk, person, submission)
    text = line(form, "text", MOST)
    if len(text) < LEAST:
        raise HTTPException(422, f"A review that helps has {LEAST} characters at least; this one has {len(text)}.")
    _keep(desk, REVIEW, entry.assignment, person.name, entry.student, text, person)
    return back(desk, "peers")


@router.post("/peers/vote")
def vote(person: Reader, form: Form, desk: AtDesk) -> Response:
    """For one project that is not one's own; the newest counts."""
    slug, chosen = _slug(desk), str(form.get("submission", ""))
    if person.staff or not desk.shows(person):
        raise HTTPException(403, "The class votes, from the day of the showcase on.")
    owner = next((s.entry.student for s in standings(desk, slug) if str(s.entry.id) == chosen), person.name)
    if owner == person.name:
        raise HTTPException(422, "Choose one of the projects that are not yours.")
    _keep(desk, VOTE, slug, person.name, "", _ballot(owner), person)
    return back(desk, "peers")


def _slug(desk: Desk) -> str:
    work = desk.catalogue.project()
    if work is None:
        raise HTTPException(404, NOT_FOUND)
    return work.slug


def _keep(desk: Desk, kind: str, slug: str, student: str, stamp: str, text: str, person: Person) -> None:
    desk.ledger.put_artefact(desk.settings.course, kind, slug, student, stamp, text.encode(), person.name)


def _dealt_to(desk: Desk, person: Person, submission: int) -> Entry:
    """A project that this person reads; any version of it, since its team may hand in another at any moment, but no try."""
    entry, slug = desk.ledger.entry(submission), _slug(desk)
    wanted = (desk.settings.course, slug, Purpose.GRADE)
    ours = entry is not None and (entry.course, entry.assignment, entry.purpose) == wanted
    if entry is None or not ours or not (person.staff or entry.student in dealt(desk, slug).get(person.name, [])):
        raise HTTPException(404, NOT_FOUND)
    return entry


def _to_review(desk: Desk, piece: Piece, review: str) -> Piece:
    """With what was measured of its claims, and what its reader wrote so far."""
    body: dict[str, Any] = desk.ledger.grade_json(piece.entry.id) or {"criteria": ()}
    verdicts = tuple((c["verdict"], c["title"], c["sentence"]) for c in body["criteria"])
    return replace(piece, verdicts=verdicts, review=review)


_ABOUT: dict[str, tuple[str, str]] = {}  # by digest: what an archive says never changes


def _about(desk: Desk, entry: Entry) -> tuple[str, str]:
    """Title and team."""
    if entry.sha256 not in _ABOUT:
        try:
            project, _ = read_project_bytes(entry.name, desk.ledger.content(entry.id))
        except AutograderError:  # it was taken in under other rules
            return entry.name, ""
        more = len(project.team) - len(project.named)
        rest = f"{more} more" if project.named else "one person" if more == 1 else f"{more} people"
        words = ", ".join(project.named)
        _ABOUT[entry.sha256] = (project.title, " and ".join(filter(None, [words, rest if more else ""])))
    return _ABOUT[entry.sha256]
