"""The showcase of what was handed in: for staff at any time, for the class from the day of the talks on; and as a file to publish."""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from asyncio import get_running_loop
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Response
from fastapi import Path as InPath
from fastapi.responses import RedirectResponse

from autograder.api import CourseError, HandedIn, write_gallery
from hub.service.access import AtDesk, Desk, Reader, StaffReader
from hub.service.grades import standings
from hub.service.identity import Person
from hub.service.submissions import REPORT_POLICY  # ends with sandbox, whose exceptions follow
from hub.service.wording import NOT_FOUND

router = APIRouter(include_in_schema=False)
# one visitor at a time, so that nobody reads half of a site; who waits holds none of the threads that take submissions in
_BUILDING = ThreadPoolExecutor(1, thread_name_prefix="showcase")
_KINDS = {".html": "text/html; charset=utf-8", ".pdf": "application/pdf"}
Name = Annotated[str, InPath(pattern=r"^[a-z0-9-]{1,80}\.(html|pdf)$")]


@router.get("/handout")
def handout(person: Reader, desk: AtDesk) -> Response:
    """What is asked of a project, as its author wrote it."""
    work = desk.catalogue.project()
    path = work.folder / "README.md" if work else None
    if path is None or not path.is_file():
        raise HTTPException(404, NOT_FOUND)
    return Response(path.read_bytes(), media_type="text/plain; charset=utf-8")


@router.get("/showcase")
def start(person: Reader, desk: AtDesk) -> Response:
    """To the gallery."""
    return RedirectResponse(f"{desk.settings.prefix}showcase/index.html", status_code=303)


@router.get("/showcase.zip")
async def download(person: StaffReader, desk: AtDesk) -> Response:
    """The site, to be published."""
    return await get_running_loop().run_in_executor(_BUILDING, _packed, desk)


def _packed(desk: Desk) -> Response:
    packed = io.BytesIO()
    folder = _site(desk)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"showcase/{path.name}")
    named = {"Content-Disposition": 'attachment; filename="showcase.zip"'}
    return Response(packed.getvalue(), media_type="application/zip", headers=named)


@router.get("/showcase/{name}")
async def page(name: Name, person: Reader, desk: AtDesk) -> Response:
    """One page, or a paper. What a team wrote is fenced in like a report, and a PDF is for the visitor's own viewer."""
    return await get_running_loop().run_in_executor(_BUILDING, _page, desk, person, name)


def _page(desk: Desk, person: Person, name: str) -> Response:
    if not desk.shows(person):
        raise HTTPException(404, NOT_FOUND)
    path = _site(desk) / name
    if not path.is_file():
        raise HTTPException(404, NOT_FOUND)
    content = path.read_bytes()
    headers = {"Content-Security-Policy": f"{REPORT_POLICY} allow-downloads"}
    if path.suffix == ".pdf":
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(content, media_type=_KINDS[path.suffix], headers=headers)


def _site(desk: Desk) -> Path:
    """The site of what counts now; made again when that has changed. Of one thread.

    Raises:
        HTTPException: there is none, or its programme is wrong.
    """
    work = desk.catalogue.project()
    if work is None:
        raise HTTPException(404, NOT_FOUND)
    counting, programme = [s.entry for s in standings(desk, work.slug)], desk.catalogue.programme()
    said = programme.read_bytes() if programme else b""
    key = hashlib.sha256(repr([(e.id, e.graded_at) for e in counting]).encode() + said).hexdigest()[:16]
    folder = desk.settings.state / "showcase" / key
    if not folder.is_dir():
        handed = [
            HandedIn(e.id, e.name, desk.ledger.content(e.id), desk.ledger.grade_json(e.id), e.graded_at)
            for e in counting
        ]
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            write_gallery(handed, programme, partial)
        except CourseError as error:
            raise HTTPException(409, f"The showcase cannot be built: {error}") from error
        for old in [f for f in folder.parent.iterdir() if f != partial]:
            shutil.rmtree(old, ignore_errors=True)
        partial.rename(folder)
    return folder
