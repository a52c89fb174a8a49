"""Talks to the service: base URL and token come from the environment, errors are sentences.

ServiceError
├── Unreachable   nobody answered: try again, or tell staff
└── Refused       the service said no; `status` and its sentence
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx

DEFAULT_URL = "http://127.0.0.1:8700/"
CONNECT_S, ANSWER_S = 10.0, 120.0
FINAL = ("graded", "needs-staff", "waiting-for-hardware", "refused")  # what waits for a GPU has a verdict on the rest


class ServiceError(Exception):
    """Something between us and the service went wrong; the text is for people."""


class Unreachable(ServiceError):
    """No answer came."""


class Refused(ServiceError):
    """The service answered no."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def course() -> str:
    """The course that this server belongs to."""
    return os.environ.get("AUTOGRADER_COURSE", "course")


class Service:
    """One connection pool with the caller's token."""

    def __init__(self, url: str = "", token: str = "", transport: httpx.BaseTransport | None = None) -> None:
        """Opens nothing yet.

        Args:
            url: the service's base; from `AUTOGRADER_URL` if empty.
            token: from `AUTOGRADER_TOKEN`, else `JUPYTERHUB_API_TOKEN`, if empty.
            transport: for tests.
        """
        self.url = (url or os.environ.get("AUTOGRADER_URL", DEFAULT_URL)).rstrip("/") + "/"
        token = token or os.environ.get("AUTOGRADER_TOKEN", "") or os.environ.get("JUPYTERHUB_API_TOKEN", "")
        secure = self.url.startswith("https:")
        self._client = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"token {token}"} if token else {},
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            # a token never goes to a proxy in clear text; certificates of the environment are honoured
            trust_env=secure,
            transport=transport or (None if secure else httpx.HTTPTransport(retries=2)),
        )

    def close(self) -> None:
        """Closes the pool."""
        self._client.close()

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, method: str, *path: str, content: bytes | None = None, **query: str) -> httpx.Response:
        """One request; path segments are quoted.

        Raises:
            Unreachable: no answer.
            Refused: an answer other than 2xx, with the service's own sentence.
        """
        where = "api/" + "/".join(quote(segment, safe="") for segment in path)
        wanted = {name: value for name, value in query.items() if value}
        kind = {"Content-Type": "application/octet-stream"} if content is not None else {}
        try:
            answer = self._client.request(method, where, params=wanted, content=content, headers=kind)
        except httpx.HTTPError as error:
            raise Unreachable(
                f"the grading service does not answer at {self.url} ({type(error).__name__}); try again in a minute"
            ) from error
        if not answer.is_success:
            raise Refused(answer.status_code, _sentence(answer))
        return answer

    def json(self, method: str, *path: str, content: bytes | None = None, **query: str) -> Any:
        """The answer as a value."""
        return self.send(method, *path, content=content, **query).json()

    def news(self, submission: int | str) -> Iterator[dict[str, Any]]:
        """The service's events on one submission, until the stream ends.

        Raises:
            Unreachable: the stream broke or fell silent.
            Refused: not ours, or not there.
        """
        try:
            with self._client.stream("GET", f"api/submissions/{submission}/events") as stream:
                if not stream.is_success:
                    stream.read()
                    raise Refused(stream.status_code, _sentence(stream))
                for line in stream.iter_lines():
                    if line.startswith("data:"):
                        try:
                            value = json.loads(line.removeprefix("data:"))
                        except ValueError:
                            continue
                        if isinstance(value, dict):
                            yield value
        except httpx.HTTPError as error:
            raise Unreachable(f"the grading service fell silent ({type(error).__name__})") from error

    def wait(
        self, submission: int | str, limit_s: float, say: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        """The submission's entry once it is decided, or as it is when the time is over; outlives a service that restarts.

        Args:
            limit_s: longest wait.
            say: is called with every piece of news.

        Raises:
            Unreachable: nobody answers when the time is over.
            Refused: the submission is not ours, or not there.
        """
        until = time.monotonic() + limit_s
        pause_s = 0.2
        while True:
            try:
                entry: dict[str, Any] = self.json("GET", "submissions", str(submission))
            except Unreachable:
                if time.monotonic() >= until:
                    raise
            else:
                if entry["state"] in FINAL or time.monotonic() >= until:
                    return entry
                with suppress(ServiceError):  # the stream is a convenience, the entry is the truth
                    self._follow(submission, until, say)
            # a stream that ends at once must not become a busy loop
            time.sleep(min(pause_s, max(0.0, until - time.monotonic())))
            pause_s = min(2 * pause_s, 5.0)

    def _follow(self, submission: int | str, until: float, say: Callable[[dict[str, Any]], None] | None) -> None:
        """Hands news on until the stream ends, or the time is over."""
        for news in self.news(submission):
            if say is not None:
                say(news)
            if time.monotonic() >= until:
                return


def _sentence(answer: httpx.Response) -> str:
    """What the service said, in its words where it used any."""
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = f"the service answered {answer.status_code} {answer.reason_phrase}"
    words = detail if isinstance(detail, str) else json.dumps(detail)
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS and answer.headers.get("Retry-After"):
        words += f" (try again in {answer.headers['Retry-After']} s)"
    return words
