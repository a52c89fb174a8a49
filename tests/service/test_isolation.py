"""A student never sees, lists, guesses or changes what is another's, on any route."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from hub.service.intake import stamp_of
from tests.service.conftest import SLUG, House, packed

MARK = "bens-private-file"
ARCHIVE = packed({"solution.py": b"def work(x, steps):\n    return x\n"})
STAFF_ONLY = 403
# every route with how it is asked for Ben's things; {n} Ben's submission, {r} his receipt, {s} its stamp
ROUTES = {
    "GET api/health": ("api/health", 200),
    "GET api/me": ("api/me", 200),
    "GET api/assignments": ("api/assignments", 200),
    "POST api/assignments/{slug}/submissions": (f"api/assignments/{SLUG}/submissions", 201),
    "GET api/submissions": ("api/submissions?student=ben", 404),
    "GET api/submissions/{submission}": ("api/submissions/{n}", 404),
    "GET api/submissions/{submission}/report": ("api/submissions/{n}/report", 404),
    "GET api/submissions/{submission}/events": ("api/submissions/{n}/events", 404),
    "GET api/receipts/{receipt}": ("api/receipts/{r}", 404),
    "POST api/submissions/{submission}/review": ("api/submissions/{n}/review", STAFF_ONLY),
    "POST api/submissions/{submission}/regrade": ("api/submissions/{n}/regrade", STAFF_ONLY),
    "POST api/assignments/{slug}/regrade": (f"api/assignments/{SLUG}/regrade", STAFF_ONLY),
    "GET api/assignments/{slug}/regrade": (f"api/assignments/{SLUG}/regrade", STAFF_ONLY),
    "GET api/assignments/{slug}/grades.csv": (f"api/assignments/{SLUG}/grades.csv", STAFF_ONLY),
    "GET api/nodes": ("api/nodes", STAFF_ONLY),
    "PUT api/exchange/{course}/released/{assignment}": (f"api/exchange/course/released/{SLUG}", STAFF_ONLY),
    "DELETE api/exchange/{course}/released/{assignment}": (f"api/exchange/course/released/{SLUG}", STAFF_ONLY),
    "GET api/exchange/{course}/released": ("api/exchange/course/released", 200),
    "GET api/exchange/{course}/released/{assignment}": (f"api/exchange/course/released/{SLUG}", 200),
    "POST api/exchange/{course}/submitted/{assignment}": (f"api/exchange/course/submitted/{SLUG}", 201),
    "GET api/exchange/{course}/submitted": ("api/exchange/course/submitted?student=ben", 404),
    "GET api/exchange/{course}/submitted/{assignment}/{student}/{stamp}": (
        f"api/exchange/course/submitted/{SLUG}/ben/{{s}}",
        404,
    ),
    "GET api/exchange/{course}/grades/{submission}": ("api/exchange/course/grades/{n}", STAFF_ONLY),
    "GET api/exchange/{course}/cells/{submission}": ("api/exchange/course/cells/{n}", STAFF_ONLY),
    "PUT api/exchange/{course}/feedback/{assignment}/{student}/{stamp}": (
        f"api/exchange/course/feedback/{SLUG}/ben/{{s}}",
        STAFF_ONLY,
    ),
    "GET api/exchange/{course}/feedback": ("api/exchange/course/feedback?student=ben", 404),
    "GET api/exchange/{course}/feedback/{assignment}/{student}/{stamp}": (
        f"api/exchange/course/feedback/{SLUG}/ben/{{s}}",
        404,
    ),
    "GET metrics": ("metrics", STAFF_ONLY),
    "GET ": ("", 200),
    "GET assignments/{slug}": (f"assignments/{SLUG}", 200),
    "POST assignments/{slug}/submit": (f"assignments/{SLUG}/submit", 403),
    "GET submissions/{submission}": ("submissions/{n}", 404),
    "GET submissions/{submission}/live": ("submissions/{n}/live", 404),
    "GET staff": ("staff", STAFF_ONLY),
    "GET staff/queue": ("staff/queue", STAFF_ONLY),
    "POST staff/nodes/examine": ("staff/nodes/examine", STAFF_ONLY),
    "GET staff/submissions": ("staff/submissions?student=ben", STAFF_ONLY),
    "GET staff/assignments/{slug}": (f"staff/assignments/{SLUG}", STAFF_ONLY),
    "GET staff/assignments/{slug}/scores.svg": (f"staff/assignments/{SLUG}/scores.svg", STAFF_ONLY),
    "GET staff/assignments/{slug}/speedups.svg": (f"staff/assignments/{SLUG}/speedups.svg", STAFF_ONLY),
    "GET staff/assignments/{slug}/regrade": (f"staff/assignments/{SLUG}/regrade", STAFF_ONLY),
    "POST staff/assignments/{slug}/regrade": (f"staff/assignments/{SLUG}/regrade", STAFF_ONLY),
    "POST staff/assignments/{slug}/staged": (f"staff/assignments/{SLUG}/staged", STAFF_ONLY),
    "POST staff/submissions/{submission}/regrade": ("staff/submissions/{n}/regrade", STAFF_ONLY),
    "POST staff/submissions/{submission}/review": ("staff/submissions/{n}/review", STAFF_ONLY),
    "GET staff/extensions": ("staff/extensions", STAFF_ONLY),
    "POST staff/extensions": ("staff/extensions", STAFF_ONLY),
    "GET staff/audit": ("staff/audit", STAFF_ONLY),
    "GET login": ("login", 200),
    "POST login": ("login", 403),
    "POST logout": ("logout", 303),
}


def _routes(found: Any, prefix: str) -> Iterator[str]:
    for route in found:
        if isinstance(route, APIRoute):
            for method in route.methods - {"HEAD"}:
                yield f"{method} {route.path.removeprefix(prefix)}"


def _all_routes(app: Any, prefix: str) -> set[str]:
    from hub.service import events, exchange, pages, staff, submissions

    names = set(_routes(app.routes, prefix))
    for part in (submissions, events, exchange, pages, staff):
        names |= set(_routes(part.router.routes, "/"))
    names |= set(_routes(app.state.desk.identity.router().routes, "/"))
    return {n for n in names if not n.endswith(prefix.rstrip("/"))}


def test_every_route_is_in_the_table(house: House) -> None:
    """A new route cannot be forgotten here."""
    assert _all_routes(house.app, house.settings.prefix) == set(ROUTES)


@pytest.fixture
def bens(house: House) -> dict[str, Any]:
    """Ben's graded submission, with feedback and a release beside it."""
    house.api("ivy", "PUT", f"api/exchange/course/released/{SLUG}", content=ARCHIVE)
    answer = house.api(
        "ben", "POST", f"api/assignments/{SLUG}/submissions", params={"filename": f"{MARK}.py"}, content=b"# ben\n"
    )
    receipt = answer.json()["receipt"]
    house.grade(receipt["submission"])
    stamp = stamp_of(house.ledger.receipts("course", student="ben")[0].received_at)
    house.ledger.put_artefact("course", "feedback", SLUG, "ben", stamp, packed({f"{MARK}.html": MARK.encode()}), "tom")
    return {"n": receipt["submission"], "r": receipt["id"], "s": stamp}


def test_nobody_reaches_what_is_another_students(house: House, bens: dict[str, Any]) -> None:
    """Each route, by token and by cookie, with Ben's own identifiers in Ada's hands."""
    browser = house.browser("ada")
    for name, (path, expected) in ROUTES.items():
        method = name.split()[0]
        more: dict[str, Any] = {}
        if method in ("PUT", "POST") and path.startswith("api/"):
            more = {"json": {"points": 1, "reason": "x"}} if "review" in path else {"content": ARCHIVE}
            if path.endswith("regrade"):
                more = {"json": {"dry_run": True}}
            if path.endswith("submissions"):
                path += "?filename=x.tar.gz"
        url = house.settings.prefix + path.format(**bens)
        if path.startswith(("api/", "metrics")):
            answer = house.http.request(method, url, headers={"Authorization": f"token {house.tokens['ada']}"}, **more)
        else:
            answer = browser.request(method, url, **more)
        assert answer.status_code == expected, (name, answer.status_code, answer.text[:300])
        assert MARK not in answer.text, name
    assert house.ledger.reviews(bens["n"]) == []


def test_lists_hold_ones_own_only(house: House, bens: dict[str, Any]) -> None:
    """Without a filter, too."""
    mine = house.submit("ada")
    assert [e["id"] for e in house.api("ada", "GET", "api/submissions").json()] == [mine]
    assert {e["student"] for e in house.api("ada", "GET", "api/exchange/course/submitted").json()} == {"ada"}
    assert house.api("ada", "GET", "api/exchange/course/feedback").json() == []
    assert len(house.api("tom", "GET", "api/submissions").json()) == 2


def test_the_owner_and_the_ta_do_reach_it(house: House, bens: dict[str, Any]) -> None:
    """The same identifiers open for those who may."""
    for who in ("ben", "tom"):
        for path in ("api/submissions/{n}", "api/receipts/{r}", "api/submissions/{n}/report", f"api/exchange/course/submitted/{SLUG}/ben/{{s}}",
                     f"api/exchange/course/feedback/{SLUG}/ben/{{s}}"):  # fmt: skip
            assert house.api(who, "GET", path.format(**bens)).status_code == 200, (who, path)


def test_without_a_token_nothing_opens(house: House, bens: dict[str, Any]) -> None:
    """401 for programs, the login for browsers; health and login only are open."""
    for name, (path, _) in ROUTES.items():
        if path in ("api/health", "login", "logout"):
            continue
        answer = house.http.request(name.split()[0], house.settings.prefix + path.format(**bens))
        assert answer.status_code in (401, 303), name
        assert answer.status_code == 401 or "login?next=" in answer.headers["location"]


def test_another_course_is_not_served(house: House, bens: dict[str, Any]) -> None:
    """What lies in the same ledger for another course does not exist here."""
    other = house.ledger.submit(
        course="physics", assignment=SLUG, student="ada", name="a.py", content=b"1", channel="t"
    )
    assert house.api("ada", "GET", f"api/submissions/{other.submission}").status_code == 404
    assert house.api("tom", "GET", f"api/submissions/{other.submission}").status_code == 404
    assert house.api("ada", "GET", "api/exchange/physics/submitted").status_code == 404


def test_a_cookie_reads_but_never_writes_by_the_api(house: House) -> None:
    """So that no other site can make a browser change anything."""
    browser = house.browser("ada")
    assert browser.get(f"{house.settings.prefix}api/me").json()["name"] == "ada"
    assert browser.post(f"{house.settings.prefix}api/assignments/{SLUG}/submissions", content=b"1").status_code == 401


def test_students_see_no_hidden_details(house: House) -> None:
    """Neither in JSON, nor in the report, nor on the page; staff see them."""
    from tests.service.conftest import SECRET

    submission = house.submit("ada")
    house.grade(submission)
    paths = (f"api/submissions/{submission}", f"api/submissions/{submission}/report")
    for path in paths:
        shown = house.api("ada", "GET", path).text
        assert SECRET not in shown and "seed-0815" not in shown, path
        assert SECRET in house.api("tom", "GET", path).text
    shown = house.page("ada", f"submissions/{submission}").text
    assert SECRET not in shown and "seed-0815" not in shown
    # the cache of reports must not mix readers up
    assert SECRET not in house.api("ada", "GET", paths[1]).text
