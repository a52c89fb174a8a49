"""At the door: receipts, limits, and sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograder.api import LedgerError, Purpose
from hub.service.settings import Bucket
from tests.service.conftest import SLUG, SOLUTION, House

PATH = f"api/assignments/{SLUG}/submissions"


def test_a_submission_gets_a_receipt_and_wakes_the_grader(house: House) -> None:
    """What the receipt says is what the ledger holds."""
    answer = house.api("ada", "POST", PATH, params={"filename": "mine.py"}, content=SOLUTION)
    assert answer.status_code == 201
    receipt = answer.json()["receipt"]
    assert (receipt["student"], receipt["name"], receipt["duplicate"]) == ("ada", "mine.py", False)
    assert house.ledger.content(receipt["submission"]) == SOLUTION
    assert house.grader.woken == 1
    assert (
        house.http.get(answer.json()["url"], headers={"Authorization": f"Bearer {house.tokens['ada']}"}).status_code
        == 200
    )
    assert house.api("ada", "GET", f"api/receipts/{receipt['id']}").json() == receipt


def test_the_same_bytes_are_one_submission_with_two_receipts(house: House) -> None:
    """A duplicate says so, and is not graded twice."""
    first = house.api("ada", "POST", PATH, content=SOLUTION).json()["receipt"]
    second = house.api("ada", "POST", PATH, content=SOLUTION).json()["receipt"]
    assert first["submission"] == second["submission"] and first["id"] != second["id"] and second["duplicate"]


def test_a_try_is_no_grade(house: House) -> None:
    """The purpose arrives in the ledger."""
    receipt = house.api("ada", "POST", PATH, params={"purpose": "try"}, content=SOLUTION).json()["receipt"]
    entry = house.ledger.entry(receipt["submission"])
    assert entry is not None and entry.purpose is Purpose.TRY


def test_too_large_is_refused_before_it_is_stored(house: House) -> None:
    """413 with a sentence, whether the length is announced or not."""
    assert house.api("ada", "POST", PATH, content=b"#" * 70_000).status_code == 413
    answer = house.api("ada", "POST", PATH, content=(b"#" * 1000 for _ in range(70)))
    assert answer.status_code == 413 and "64 KiB" in answer.json()["detail"]
    assert house.ledger.entries("course") == []


def test_what_cannot_be_graded_is_refused_with_the_reason(house: House) -> None:
    """422 and the student's sentence."""
    for name, content in (
        ("x.exe", b"MZ"),
        ("x.zip", b"PK no"),
        ("x.ipynb", b"{"),
        ("x.py", b"a\0b"),
        ("..", b""),
        ("a\x07.py", b""),
    ):
        answer = house.api("ada", "POST", PATH, params={"filename": name}, content=content)
        assert answer.status_code == 422 and answer.json()["detail"], name
    assert house.ledger.entries("course") == []


def test_gradings_are_limited_and_tell_when_to_come_back(build: Callable[..., House]) -> None:
    """429 with Retry-After; another student is not concerned."""
    house = build(grade=Bucket(2, 600))
    codes = [house.api("ada", "POST", PATH, content=SOLUTION + b"#" * i) for i in range(3)]
    assert [a.status_code for a in codes] == [201, 201, 429]
    assert 0 < int(codes[2].headers["retry-after"]) <= 600 and "Nothing was taken in" in codes[2].json()["detail"]
    assert house.api("ben", "POST", PATH, content=SOLUTION).status_code == 201


def test_the_door_is_limited_too(build: Callable[..., House]) -> None:
    """Refused archives cost us time, so attempts are counted as well."""
    house = build(door=Bucket(2, 600))
    codes = [house.api("ada", "POST", PATH, params={"filename": "x.zip"}, content=b"no").status_code for _ in range(3)]
    assert codes == [422, 422, 429]


def test_duplicates_and_refusals_cost_no_grading(build: Callable[..., House]) -> None:
    """The token is given back when nothing will be graded for it."""
    house = build(grade=Bucket(2, 1e6))
    for content in (SOLUTION, SOLUTION, SOLUTION):
        assert house.api("ada", "POST", PATH, content=content).status_code == 201
    assert house.api("ada", "POST", PATH, params={"filename": "x.zip"}, content=b"no").status_code == 422
    assert house.api("ada", "POST", PATH, content=SOLUTION + b"#").status_code == 201


def test_a_try_costs_a_token_for_each_measurement(build: Callable[..., House]) -> None:
    """Not for each press of the button: what waits is measured once."""
    house = build(trial=Bucket(3, 1e6))

    def press() -> int:
        answer = house.api("ada", "POST", PATH, params={"purpose": "try"}, content=SOLUTION)
        return int(answer.status_code)

    assert [press() for _ in range(4)] == [201] * 4
    house.grade(1)
    assert [press() for _ in range(2)] == [201] * 2  # again, and then it waits
    house.grade(1)
    assert [press(), press()] == [201, 429]


def test_what_the_grader_gave_up_on_gives_the_token_back(build: Callable[..., House]) -> None:
    """As far as a dispatcher tells of it; there is no grade to be read."""
    house = build(grade=Bucket(1, 1e6))
    submission = house.submit()
    held = house.ledger.lease("test", free=8, hold_s=60)
    assert held is not None and house.ledger.escalate(held, "the node burned down")
    for call in house.grader.calls:
        call(submission)
    assert house.api("ada", "POST", PATH, content=SOLUTION + b"#").status_code == 201


def test_our_failure_costs_no_token_and_says_so(build: Callable[..., House], monkeypatch: Any) -> None:
    """503 while the ledger is away; afterwards the token is still there."""
    house = build(grade=Bucket(1, 1e6))

    def away(**_: Any) -> None:
        raise LedgerError("the disk is full at /secret/path")

    with monkeypatch.context() as patch:
        patch.setattr(house.ledger, "submit", away)
        answer = house.api("ada", "POST", PATH, content=SOLUTION)
    assert answer.status_code == 503 and "not taken in" in answer.json()["detail"] and "/secret" not in answer.text
    assert house.api("ada", "POST", PATH, content=SOLUTION).status_code == 201


def test_a_verdict_that_we_failed_to_reach_gives_the_token_back(build: Callable[..., House]) -> None:
    """Grader failures are ours."""
    from autograder.domain.verdict import Verdict

    house = build(grade=Bucket(1, 1e6))
    submission = house.submit()
    assert house.api("ada", "POST", PATH, content=SOLUTION + b"#").status_code == 429
    house.grade(submission, code=Verdict.GRADER_FAILED, points=0)
    assert house.api("ada", "POST", PATH, content=SOLUTION + b"#").status_code == 201


def test_json_and_forms_have_a_small_limit(house: House) -> None:
    """Nobody fills the memory with a review."""
    submission = house.submit()
    answer = house.api(
        "tom", "POST", f"api/submissions/{submission}/review", json={"points": 1, "reason": "x" * 300_000}
    )
    assert answer.status_code == 413
