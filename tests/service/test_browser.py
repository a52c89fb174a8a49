"""In a real browser: accessibility by axe, phone width and 200 % zoom, live progress, and not one refusal by our own policy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from hub.service import events
from tests.service.conftest import SLUG, SOLUTION, House
from tests.service.test_peers import OPEN
from tests.service.test_projects import PDF, grade, hand_in, project
from tests.service.test_projects import SLUG as PROJECT

pytestmark = pytest.mark.browser
_STUDENT = ("", f"assignments/{SLUG}", "submissions/1", "submissions/2")
_STAFF = ("staff", "staff/submissions", f"staff/assignments/{SLUG}", f"staff/assignments/{SLUG}/regrade", "staff/extensions",
          "staff/audit?verify=true", "submissions/1")  # fmt: skip


@pytest.fixture
def chromium() -> Iterator[Any]:
    """Playwright's own, or the system's."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except api.Error as error:
            pytest.skip(f"no chromium: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


def visit(chromium: Any, house: House, who: str, width: int, scheme: str) -> tuple[Any, list[str]]:
    """A page of somebody's browser, and what its console complains about."""
    url = str(house.http.base_url).rstrip("/")
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, base_url=url)
    context.add_cookies([{"name": "autograder-session", "value": house.tokens[who], "url": url}])
    page, said = context.new_page(), []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    return page, said


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (360, "dark"), (600, "light")])
def test_pages_are_accessible_and_fit(house: House, chromium: Any, width: int, scheme: str) -> None:
    """No violation that axe knows, nothing wider than a phone or than 1200 pixels at 200 %, no refused resource."""
    from axe_playwright_python.sync_playwright import Axe

    house.grade(house.submit("ada"))
    house.ledger.regrade(1, by="ivy", staged=True)
    house.grade(1, points=10)
    house.submit("ada", SOLUTION + b"#", "a-file-with-a-rather-long-name-that-does-not-break-anywhere-by-itself.py")
    for who, paths in (("ada", _STUDENT), ("ivy", _STAFF)):
        page, said = visit(chromium, house, who, width, scheme)
        for path in paths:
            page.goto(house.settings.prefix + path, wait_until="load")
            found = Axe().run(page, options={"iframes": False}).response["violations"]
            assert found == [], (path, [(v["id"], v["nodes"][0]["html"]) for v in found])
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider <= 0, (path, width, wider)
        assert said == []
        page.context.close()


def test_projects_are_read_by_their_peers_and_shown(
    house: House, chromium: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dealt, reviewed and voted for by the page's own forms, at phone width; a paper comes out of the fenced showcase as a file."""
    from axe_playwright_python.sync_playwright import Axe

    monkeypatch.setattr(house.ledger, "clock", lambda: OPEN)
    for who, title in (("ada", "Plates"), ("ben", "Strings")):
        grade(house, int(hand_in(house, who, project(title)).json()["receipt"]["submission"]))
    (staff, said), (student, complaints) = (visit(chromium, house, w, 360, "light") for w in ("tom", "ada"))
    staff.goto(f"{house.settings.prefix}peers")
    staff.get_by_role("button", name="Deal projects to them").click()
    student.goto(f"{house.settings.prefix}peers")
    student.get_by_label("Your review").fill("An honest baseline. " * 20)
    student.get_by_role("button", name="Hand in the review").click()
    student.get_by_role("radio").check()
    student.get_by_role("button", name="Vote").click()
    student.wait_for_selector("text=Change my vote")
    staff.reload()
    assert "399 characters" in staff.inner_text("main") and "Strings" in staff.inner_text("#tally + table")
    for page, paths in (
        (student, ("peers", f"assignments/{PROJECT}", "submissions/1")),
        (staff, ("peers", f"staff/assignments/{PROJECT}")),
    ):
        for path in paths:
            page.goto(house.settings.prefix + path)
            found = Axe().run(page, options={"iframes": False}).response["violations"]
            assert found == [], (path, [(v["id"], v["nodes"][0]["html"]) for v in found])
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, (
                path
            )
    student.get_by_role("link", name="Showcase").click()
    student.get_by_role("link", name="Strings").first.click()
    with student.expect_download() as paper:
        student.get_by_role("link", name="Paper").click()
    assert paper.value.path().read_text() == PDF
    assert said == complaints == []


def test_a_submission_is_followed_to_its_verdict(house: House, chromium: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handed in by keyboard-reachable form, shown checking, dueling round by round, then the verdict and its report."""
    monkeypatch.setattr(events, "LOOK_S", 0.05)
    page, said = visit(chromium, house, "ada", 500, "light")
    page.goto(f"{house.settings.prefix}assignments/{SLUG}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.set_input_files("#file", files=[{"name": "mine.py", "mimeType": "text/x-python", "buffer": SOLUTION}])
    with page.expect_request("**/live"):
        page.click("form.card button")
    page.wait_for_selector("text=You are next")
    page.wait_for_function("() => document.querySelector('[sse-connect]') !== null")
    while not house.grader.watching.get(1):
        page.evaluate("() => new Promise(requestAnimationFrame)")
    house.grader.tell(1, "check", criterion="formula")
    page.wait_for_selector("text=Checking: Random arrays follow the formula")
    house.grader.tell(1, "duel", criterion="formula", rounds=7, speedup=1.7, interval=(1.2, 2.3))
    page.wait_for_selector("text=round 7, speedup so far 1.7×")
    house.grade(1)
    house.grader.tell(1, "recorded")
    page.wait_for_selector("h2#verdict")
    assert "mine.py" in page.frame_locator("iframe.report").locator("h1").inner_text()
    assert said == []
    page.context.close()
