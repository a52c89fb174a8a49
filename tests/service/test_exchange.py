"""The exchange: release, fetch, submit, collect, feedback; and what is refused."""

from __future__ import annotations

from urllib.parse import quote

from tests.service.conftest import SECRET, SLUG, House, packed

BASE = "api/exchange/course"
RELEASE = packed({f"{SLUG}.ipynb": b"{}", "data/points.csv": b"1,2\n"})
FOLDER = packed({"solution.py": b"def work(x, steps):\n    return x\n"})


def test_an_assignment_goes_round(house: House) -> None:
    """Instructor releases, student fetches and submits, grader grades, TA collects and gives feedback, student fetches it."""
    put = house.api("ivy", "PUT", f"{BASE}/released/{SLUG}", content=RELEASE)
    assert put.status_code == 201 and put.json()["notebooks"] == [f"{SLUG}.ipynb"]
    (released,) = house.api("ada", "GET", f"{BASE}/released").json()
    assert (released["assignment"], released["notebooks"]) == (SLUG, [f"{SLUG}.ipynb"])
    assert house.api("ada", "GET", f"{BASE}/released/{SLUG}").content == RELEASE
    released = {a["slug"] for a in house.api("ada", "GET", "api/assignments").json() if a["released"]}
    assert released == {SLUG}

    handed = house.api("ada", "POST", f"{BASE}/submitted/{SLUG}", content=FOLDER)
    assert handed.status_code == 201
    stamp, submission = handed.json()["stamp"], handed.json()["receipt"]["submission"]
    assert house.grader.woken == 1
    house.grade(submission)
    (row,) = house.api("ada", "GET", f"{BASE}/submitted").json()
    assert (row["stamp"], row["state"], row["score"], row["submission"]) == (stamp, "graded", 50, submission)

    path = f"{SLUG}/ada/{quote(stamp)}"
    assert house.api("tom", "GET", f"{BASE}/submitted/{path}").content == FOLDER
    assert SECRET in house.api("tom", "GET", f"{BASE}/grades/{submission}").text
    feedback = packed({"feedback.html": b"well done"})
    assert house.api("tom", "PUT", f"{BASE}/feedback/{path}", content=feedback).status_code == 201
    assert [f["stamp"] for f in house.api("ada", "GET", f"{BASE}/feedback").json()] == [stamp]
    assert house.api("ada", "GET", f"{BASE}/feedback/{path}").content == feedback

    assert house.api("ivy", "DELETE", f"{BASE}/released/{SLUG}").status_code == 204
    assert house.api("ada", "GET", f"{BASE}/released/{SLUG}").status_code == 404
    assert house.api("ada", "GET", f"{BASE}/released").json() == []


def test_what_is_no_archive_is_refused(house: House) -> None:
    """422 with a sentence, for every way in."""
    for method, path in (
        ("PUT", f"released/{SLUG}"),
        ("PUT", f"feedback/{SLUG}/ada/{quote('2026-01-01 00:00:00.000000 UTC')}"),
    ):
        for content in (b"", b"PK", RELEASE[:40], b"\x1f\x8b" + b"\0" * 100):
            answer = house.api("ivy", method, f"{BASE}/{path}", content=content)
            assert answer.status_code == 422 and ".tar.gz" in answer.json()["detail"]
    assert house.api("ada", "POST", f"{BASE}/submitted/{SLUG}", content=b"no").status_code == 422
    assert house.api("ada", "POST", f"{BASE}/submitted/unknown", content=FOLDER).status_code == 404


def test_two_receipts_of_the_same_folder_are_two_rows(house: House) -> None:
    """nbgrader lists both times, and both lead to the bytes."""
    for _ in range(2):
        assert house.api("ada", "POST", f"{BASE}/submitted/{SLUG}", content=FOLDER).status_code == 201
    rows = house.api("ada", "GET", f"{BASE}/submitted").json()
    assert len({r["stamp"] for r in rows}) == 2 and len({r["submission"] for r in rows}) == 1
    for row in rows:
        assert house.api("ada", "GET", f"{BASE}/submitted/{SLUG}/ada/{quote(row['stamp'])}").content == FOLDER


def test_a_student_cannot_release_or_give_feedback(house: House) -> None:
    """Nor can a TA release."""
    assert house.api("ada", "PUT", f"{BASE}/released/{SLUG}", content=RELEASE).status_code == 403
    assert house.api("tom", "PUT", f"{BASE}/released/{SLUG}", content=RELEASE).status_code == 403
