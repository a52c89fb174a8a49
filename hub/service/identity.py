"""Who is asking. Two ways to know: the hub (`hub_identity`) and a file of tokens (`token_identity`).

A page's cookie holds the same token that an API client sends in its header, HttpOnly and SameSite=Lax. The API accepts
the cookie for reading only; forms carry a token derived from the cookie, which another site cannot know.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

RANK = {"student": 0, "ta": 1, "instructor": 2}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in this course."""

    name: str
    role: str

    @property
    def staff(self) -> bool:
        """May see everybody's work."""
        return RANK[self.role] >= RANK["ta"]

    def at_least(self, role: str) -> bool:
        """Whether the role is this one or above."""
        return RANK[self.role] >= RANK[role]


class Identity(Protocol):
    """Knows people by their token."""

    cookie: str

    async def person(self, token: str) -> Person | None:
        """Whose token this is; None when nobody's, or when its owner is not in this course.

        Raises:
            HTTPException: 503, whoever knows does not answer.
        """

    def router(self) -> APIRouter:
        """`login`, `logout` and what they need, under the service's prefix."""


def csrf_token(session: str) -> str:
    """What a form must carry: only somebody who holds the session's token can compute it."""
    return hmac.new(session.encode(), b"autograder form", hashlib.sha256).hexdigest()


def same_site(request: Request) -> bool:
    """Whether a browser says that a request comes from this site; what says nothing at all is no browser's form."""
    fetched = request.headers.get("sec-fetch-site")
    if fetched is not None:
        return fetched in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def set_session(response: Response, request: Request, name: str, token: str, path: str) -> None:
    """Gives the browser its cookie; Secure where the visitor came by HTTPS."""
    response.set_cookie(name, token, httponly=True, samesite="lax", secure=by_https(request), path=path)


def by_https(request: Request) -> bool:
    """Whether the visitor's browser speaks HTTPS, perhaps with a proxy before us."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", "").split(",")[0].strip())


def safe_next(target: str, prefix: str) -> str:
    """Where to go after the login: a path of ours, or home."""
    ours = target.startswith(prefix) and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if ours else prefix
