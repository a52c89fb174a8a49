"""Pages: forms are ours, hostile text stays text, every page opens and has what assistive technology needs."""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from urllib.parse import quote

import pytest

from autograder.domain.verdict import Verdict, sentence
from hub.service.grades import cell
from hub.service.identity import csrf_token, safe_next
from hub.service.render import fragment
from tests.service.conftest import SLUG, SOLUTION, House, verdict

HOSTILE = "<script>alert(1)</script>\x1b[31m\"'>&.py"
PAGES = ("", f"assignments/{SLUG}", "staff", "staff/queue", "staff/submissions", f"staff/assignments/{SLUG}",
         f"staff/assignments/{SLUG}/regrade", "staff/extensions", "staff/audit", "staff/audit?verify=true", "peers",
         "assignments/t_project", "login")  # fmt: skip


def form(house: House, who: str, path: str, data: dict[str, Any], **more: Any) -> Any:
    """A form as a browser of ours sends it."""
    sent = {"csrf": csrf_token(house.tokens[who])} | data
    return house.browser(who).post(house.settings.prefix + path, data=sent, **more)


def test_every_page_opens_empty_and_full(house: House) -> None:
    """With a language, a title, one main heading, landmarks, and a label for each field."""
    for full in (False, True):
        if full:
            for who in ("ada", "ben"):
                house.grade(house.submit(who, SOLUTION + who.encode()))
        paths = (*PAGES, *(("submissions/1", "submissions/2") if full else ()))
        for path in paths:
            answer = house.page("ivy", path)
            assert answer.status_code == 200, (path, answer.text)
            text = answer.text
            if path.endswith("queue"):
                continue
            assert '<html lang="en">' in text and text.count("<h1>") == 1 and "<main " in text, path
            for field in re.findall(r"<(?:input|select|textarea)[^>]*>", text):
                identity = re.search(r' id="([^"]+)"', field)
                assert (
                    'type="hidden"' in field or 'type="radio"' in field or (identity and f'for="{identity[1]}"' in text)
                ), (path, field)


def test_nothing_on_a_page_is_inline_or_from_elsewhere(house: House) -> None:
    """So that the policy holds: no inline script, style or handler, no other host."""
    house.grade(house.submit())
    for path in (*PAGES, "submissions/1"):
        answer = house.page("ivy", path)
        text = answer.text
        assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|https?://", text), path
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy and "unsafe" not in policy and "default-src 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    report = house.api("ada", "GET", "api/submissions/1/report")
    assert (
        "sandbox" in report.headers["content-security-policy"]
        and "script-src" not in report.headers["content-security-policy"]
    )
    for name in ("style.css", "htmx.min.js", "sse.min.js", "LICENSES.txt"):
        assert house.http.get(f"{house.settings.prefix}static/{name}").status_code == 200


def test_staff_see_why_a_node_is_out_and_ask_for_another_look(house: House) -> None:
    """Its noise as text; a button a node; a name that nobody has is refused."""
    text = house.page("tom", "staff/queue").text
    assert "quarantined" in text and "noise &lt;i&gt;31%&lt;/i&gt;" in text and "in service" in text
    assert form(house, "tom", "staff/nodes/examine", {"node": "n2"}).status_code == 303
    assert form(house, "tom", "staff/nodes/examine", {"node": "n9"}).status_code == 422
    assert house.grader.examined == ["n2", "n9"]


def test_hostile_text_stays_text(house: House) -> None:
    """In names, sentences and reasons; a control character is shown as such or refused."""
    receipt = house.ledger.submit(
        course="course", assignment=SLUG, student="ada", name=HOSTILE, content=SOLUTION, channel="api"
    )
    house.grade(receipt.submission, code=Verdict.WRONG_ANSWER, points=0, sentence=HOSTILE)
    house.ledger.review(receipt.submission, by="tom", points=1, reason=HOSTILE)
    for who, path in (("ada", ""), ("ada", "submissions/1"), ("tom", "staff/submissions"), ("tom", f"staff/assignments/{SLUG}"),
                      ("tom", "staff/audit"), ("tom", "staff/submissions?student=" + quote(HOSTILE))):  # fmt: skip
        text = house.page(who, path).text
        assert "<script>alert" not in text and "\x1b" not in text, path
    assert "<script>alert" not in house.api("ada", "GET", "api/submissions/1/report").text
    refused = house.api(
        "ada", "POST", f"api/assignments/{SLUG}/submissions", params={"filename": HOSTILE}, content=SOLUTION
    )
    assert refused.status_code == 422 and "\x1b" not in refused.text


def test_a_form_of_another_site_does_nothing(house: House) -> None:
    """Without our token, with somebody else's, or from another origin."""
    submission = house.submit()
    path, data = f"staff/submissions/{submission}/review", {"points": "3", "reason": "because"}
    for wrong in ({"csrf": ""}, {"csrf": "0" * 64}, {"csrf": csrf_token(house.tokens["ada"])}):
        assert form(house, "tom", path, data | wrong).status_code == 403
    for headers in (
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        assert form(house, "tom", path, data, headers=headers).status_code == 403
    assert house.ledger.reviews(submission) == []
    assert form(house, "tom", path, data, headers={"sec-fetch-site": "same-origin"}).status_code == 303
    assert [r["points"] for r in house.ledger.reviews(submission)] == [3]


def test_a_review_stands_beside_the_grade(house: House) -> None:
    """The student reads it; the grade is unchanged; nonsense is refused."""
    submission = house.submit()
    house.grade(submission)
    assert (
        house.api(
            "tom", "POST", f"api/submissions/{submission}/review", json={"points": 44.5, "reason": "well explained"}
        ).status_code
        == 201
    )
    text = house.page("ada", f"submissions/{submission}").text
    assert "well explained" in text and "44.5" in text
    assert house.api("ada", "GET", f"api/submissions/{submission}").json()["grade"]["score"] == 50
    for points in ("nan", "inf", "-1", "", "1e999"):
        assert (
            form(house, "tom", f"staff/submissions/{submission}/review", {"points": points, "reason": "x"}).status_code
            == 422
        )
    for body in (
        {"points": -1, "reason": "x"},
        {"points": 1, "reason": ""},
        {"points": 1},
        {"points": 1, "reason": "\x00"},
        {"points": 1, "reason": "x", "by": "me"},
    ):
        assert house.api("tom", "POST", f"api/submissions/{submission}/review", json=body).status_code == 422


def test_a_file_is_handed_in_by_the_page(house: House) -> None:
    """The form leads to the submission's page; its limits are those of the API."""
    path = f"assignments/{SLUG}/submit"
    answer = form(house, "ada", path, {"purpose": "grade"}, files={"file": ("mine.py", SOLUTION)})
    assert answer.status_code == 303 and answer.headers["location"].endswith("submissions/1")
    assert house.ledger.content(1) == SOLUTION and house.ledger.receipts("course")[0].channel == "page"
    assert "waiting in the queue" in house.page("ada", "submissions/1").text
    assert form(house, "ada", path, {"purpose": "grade"}, files={"file": ("x.py", b"#" * 70_000)}).status_code == 413
    assert form(house, "ada", path, {"purpose": "win"}, files={"file": ("x.py", SOLUTION)}).status_code == 422
    assert form(house, "ada", path, {"purpose": "grade"}).status_code == 422


def test_an_assignment_is_graded_again_and_the_difference_shown(house: House) -> None:
    """A dry run changes nothing; then old grades stand until new ones are recorded."""
    first, second = house.submit("ada"), house.submit("ben", SOLUTION + b"#")
    house.grade(first)
    house.grade(second)
    dry = house.api("ivy", "POST", f"api/assignments/{SLUG}/regrade", json={"dry_run": True}).json()
    assert [r["id"] for r in dry["submissions"]] == [first, second]
    assert house.ledger.counts()["queued"] == 0
    assert form(house, "tom", f"staff/assignments/{SLUG}/regrade", {}).status_code == 403
    assert form(house, "ivy", f"staff/assignments/{SLUG}/regrade", {}).status_code == 303
    assert house.ledger.counts()["queued"] == 2
    assert house.api("ada", "GET", f"api/submissions/{first}").json()["grade"]["score"] == 50
    assert "under way" in house.page("ivy", f"staff/assignments/{SLUG}/regrade").text
    house.grade(first, points=10)
    text = house.page("ivy", f"staff/assignments/{SLUG}/regrade").text
    assert "-20" in text and "under way" in text
    assert house.api("ada", "GET", f"api/submissions/{first}").json()["grade"]["score"] == 50


def test_an_extension_is_granted_and_shown(house: House) -> None:
    """To somebody of the course only."""
    house.submit("ada")
    data = {"assignment": SLUG, "student": "ada", "until": "2027-01-02T12:00"}
    assert form(house, "tom", "staff/extensions", data).status_code == 303
    assert "2027-01-02 12:00 UTC" in house.page("tom", f"staff/extensions?assignment={SLUG}").text
    assert "2027-01-02 12:00 UTC" in house.page("ada", f"assignments/{SLUG}").text
    assert form(house, "tom", "staff/extensions", data | {"student": "nobody"}).status_code == 422
    assert form(house, "tom", "staff/extensions", data | {"until": "tomorrow"}).status_code == 422


def test_exports_are_as_canvas_and_moodle_read_them(house: House) -> None:
    """The latest counts, a review replaces points, whoever has no grade is left out."""
    old = house.submit("ada")
    house.grade(old, points=0)
    new = house.submit("ada", SOLUTION + b"#")
    house.grade(new)
    house.grade(house.submit("ben", SOLUTION + b"##"))
    house.ledger.review(new, by="tom", points=55.5, reason="=cmd|' /C calc'!A0")
    house.submit("tom", SOLUTION)
    canvas = list(csv.reader(io.StringIO(house.api("tom", "GET", f"api/assignments/{SLUG}/grades.csv").text)))
    assert canvas[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "The test assignment"]
    assert canvas[1][0].strip() == "Points Possible"
    assert [(r[3], r[5]) for r in canvas[2:]] == [("ada", "55.5"), ("ben", "50")]
    moodle = house.api("tom", "GET", f"api/assignments/{SLUG}/grades.csv?format=moodle")
    assert "attachment" in moodle.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(moodle.text)))
    assert rows[0]["Feedback comments"].startswith("'=cmd")
    assert [(r["The test assignment"], r["Automatic points"], r["Review"]) for r in rows] == [
        ("55.5", "50", "55.5"),
        ("50", "50", ""),
    ]
    full = house.api("tom", "GET", f"api/assignments/{SLUG}/grades.csv?format=full").text
    (ada, ben) = csv.DictReader(io.StringIO(full))
    assert (ada["Automatic points"], ada["Review"], ada["Counts"], ada["Reviewed by"]) == ("50", "55.5", "55.5", "tom")
    assert (ben["Automatic points"], ben["Review"], ben["Counts"], ben["Reason"]) == ("50", "", "50", "")


def test_a_review_is_shown_where_the_grader_gave_up(house: House) -> None:
    """The student reads it, and not the grader's words."""
    identity = house.submit()
    held = house.ledger.lease("test", free=8, hold_s=60)
    assert held is not None and house.ledger.escalate(held, "node-secret")
    form(house, "tom", f"staff/submissions/{identity}/review", {"points": "12", "reason": "by hand"})
    text = house.page("ada", f"submissions/{identity}").text
    assert "Reviewed by tom:</strong> by hand" in text and "12 <small>points" in text and "node-secret" not in text


def test_what_is_undecided_overwrites_nothing(house: House) -> None:
    """Neither by 0 nor by part of the points, in no format, until it is decided or reviewed."""
    for who, code in (("ada", Verdict.INCONCLUSIVE), ("ben", Verdict.GRADER_FAILED), ("cem", Verdict.PASSED)):
        receipt = house.ledger.submit(
            course="course", assignment=SLUG, student=who, name="a.py", content=who.encode(), channel="api"
        )
        house.grade(receipt.submission, points=0 if code.fault == "ours" else 30, code=code)

    def table(style: str, skip: int = 0) -> list[dict[str, str]]:
        text = house.api("tom", "GET", f"api/assignments/{SLUG}/grades.csv?format={style}").text
        return list(csv.DictReader(io.StringIO(text)))[skip:]

    title = "The test assignment"
    assert [r[title] for r in table("canvas", 1)] == ["", "", "50"]
    moodle = table("moodle")
    assert [r[title] for r in moodle] == ["", "", "50"] and moodle[0]["Automatic points"] == "20"
    assert moodle[1]["Feedback comments"] == "Not decided yet: formula: grader-failed"
    assert [(r["Counts"], r["Undecided"]) for r in table("full")] == [
        ("", "formula: inconclusive"), ("", "formula: grader-failed"), ("50", ""),
    ]  # fmt: skip
    house.ledger.review(1, by="tom", points=33, reason="r")
    assert [r[title] for r in table("canvas", 1)] == ["33", "", "50"]
    assert (table("full")[0]["Undecided"], table("moodle")[0]["Feedback comments"]) == ("", "r")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    """Whatever stands before the sign."""
    assert cell(text).startswith("'")
    assert cell("plain") == "plain" and cell("") == ""


def test_the_plots_are_pictures(house: House) -> None:
    """With and without anything to plot; titles are text, not markup."""
    for again in range(2):
        for name in ("scores.svg", "speedups.svg"):
            answer = house.page("tom", f"staff/assignments/{SLUG}/{name}")
            assert answer.headers["content-type"] == "image/svg+xml" and answer.text.startswith("<svg")
            assert "<script" not in answer.text
        for i, speedup in enumerate((2.0, 2.1, 1.9, 2.05, 40.0, 1.95)):
            receipt = house.ledger.submit(
                course="course",
                assignment=SLUG,
                student=f"s{i}",
                name="a.py",
                content=b"%d %d" % (again, i),
                channel="t",
            )
            house.grade(receipt.submission, speedup=speedup)
    assert "40× is far from what others reach" in house.page("tom", f"staff/assignments/{SLUG}").text


def test_no_bar_promises_an_end_that_nobody_knows() -> None:
    """A duel ends when its rounds suffice; a known program may play further ones."""
    bar = fragment("progress.html", words="Dueling.", news={"rounds": 140})
    assert "<progress" in bar and "140 rounds" in bar
    assert "max=" not in bar and "value=" not in bar
    assert "<progress" not in fragment("progress.html", words="Checking.", news={})


def test_login_and_logout(house: House) -> None:
    """A token becomes a cookie that scripts cannot read; the way back leads to our pages only."""
    page = f"{house.settings.prefix}login"
    assert house.http.post(page, data={"token": "wrong"}).status_code == 403
    assert (
        house.http.post(
            page, data={"token": house.tokens["ada"]}, headers={"origin": "https://evil.example"}
        ).status_code
        == 403
    )
    answer = house.http.post(page, data={"token": house.tokens["ada"], "next": "https://evil.example/"})
    assert answer.status_code == 303 and answer.headers["location"] == house.settings.prefix
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and f"path={house.settings.prefix}" in cookie
    assert (
        "secure"
        in house.http.post(page, data={"token": house.tokens["ada"]}, headers={"x-forwarded-proto": "https"})
        .headers["set-cookie"]
        .lower()
    )
    assert "max-age=0" in house.browser("ada").post(f"{house.settings.prefix}logout").headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "target", ["//evil", "https://evil", "/elsewhere", "/services/autograder/\\evil", "", "/services/autograder/\n"]
)
def test_the_way_back_is_ours(target: str) -> None:
    """Everything else leads home."""
    assert safe_next(target, "/services/autograder/") == "/services/autograder/"
    assert safe_next("/services/autograder/staff", "/services/autograder/") == "/services/autograder/staff"


def test_a_submission_that_waits_for_a_gpu_says_so_and_costs_one_token(house: House) -> None:
    """With what could be said without one; the report, the list and the queue say the same."""
    ada = house.submit()
    held = house.ledger.lease("test", free=8, hold_s=60)
    assert held is not None
    body = verdict(held.name, held.sha256).to_json()
    body["criteria"][-1] = {
        **body["criteria"][-1],
        "points": 0,
        "verdict": "waiting-for-hardware",
        "sentence": sentence(Verdict.WAITING_FOR_HARDWARE),
        "evidence": {},
    }
    assert house.ledger.record(held, body)
    before = house.api("ada", "GET", "api/me").text
    for call in house.grader.calls:
        call(ada)
    assert house.api("ada", "GET", "api/me").text == before, "no token came back: one grading was paid, one is done"
    text = house.page("ada", f"submissions/{ada}").text
    assert "needs a machine with a GPU" in text and "nothing to do" in text and "30" in text
    assert "measured again" not in text and "graded again" not in text
    assert "waits for a machine with a GPU" in house.api("ada", "GET", f"api/submissions/{ada}/report").text
    for who, page in (("ada", ""), ("ivy", "staff/queue"), ("ivy", "staff/submissions")):
        assert "waiting for a machine with the right hardware" in house.page(who, page).text, page
