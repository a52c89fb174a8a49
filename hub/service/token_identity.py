"""Identity of the stand-alone service: a file of token digests, and a page that takes a token."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from autograder.api import Ledger
from hub.service.identity import RANK, Person, safe_next, same_site, set_session
from hub.service.render import render
from hub.service.settings import Settings

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


class TokenFile:
    """`tokens.json` in the state folder: SHA-256 of a token → name, role. Read again whenever it changes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tokens.json"
        self._seen: tuple[int, int] = (0, 0)
        self._people: dict[str, Person] = {}

    def people(self) -> dict[str, Person]:
        """Digest → person.

        Raises:
            ValueError: the file is not what this program wrote.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return {}
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._seen:
            rows = json.loads(self.path.read_text("utf-8"))
            self._people = {digest: Person(row["name"], row["role"]) for digest, row in rows.items()}
            self._seen = stamp
        return self._people

    def add(self, name: str, role: str) -> str:
        """Makes a token; only its digest is kept.

        Raises:
            ValueError: the name or the role cannot be.
        """
        if not NAME.fullmatch(name) or role not in RANK:
            raise ValueError(f"'{name}={role}': write NAME=ROLE with a plain name and one of {', '.join(RANK)}")
        token = secrets.token_urlsafe(24)
        rows = {digest: {"name": p.name, "role": p.role} for digest, p in self.people().items()}
        rows[_digest(token)] = {"name": name, "role": role}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        return token


class TokenIdentity:
    """Knows people by the file."""

    cookie = "autograder-session"

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.settings, self.ledger = settings, ledger
        self.file = TokenFile(settings.state)
        self._enrolled: set[Person] = set()

    async def person(self, token: str) -> Person | None:
        """Whose token this is."""
        found = self.file.people().get(_digest(token))
        if found is not None and found not in self._enrolled:
            await run_in_threadpool(self.ledger.enrol, self.settings.course, found.name, found.role)
            self._enrolled.add(found)
        return found

    def router(self) -> APIRouter:
        """The login page, and the way out."""
        router = APIRouter(include_in_schema=False)
        prefix = self.settings.prefix

        @router.get("/login")
        def form(request: Request) -> Response:
            return render(
                request, "login.html", problem="", next=safe_next(request.query_params.get("next", ""), prefix)
            )

        @router.post("/login")
        async def enter(request: Request) -> Response:
            if not same_site(request):
                raise HTTPException(403, "This form was sent from another site; open the login page and try again.")
            sent = await request.form()
            token, target = str(sent.get("token", "")).strip(), safe_next(str(sent.get("next", "")), prefix)
            if await self.person(token) is None:
                problem = "Nobody has this token; check that it was copied whole."
                return render(request, "login.html", status=403, problem=problem, next=target)
            answer = RedirectResponse(target, status_code=303)
            set_session(answer, request, self.cookie, token, prefix)
            return answer

        @router.post("/logout")
        def leave(request: Request) -> Response:
            if not same_site(request):
                raise HTTPException(403, "This form was sent from another site; nothing was done.")
            answer = RedirectResponse(prefix + "login", status_code=303)
            answer.delete_cookie(self.cookie, path=prefix)
            return answer

        return router


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
