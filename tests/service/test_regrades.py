"""A regrade from the staff's page: the difference first, then a decision."""

from __future__ import annotations

import re
from typing import Any

import pytest

from autograder.domain.verdict import Verdict
from hub.service.regrades import changes, picked
from tests.service.conftest import SLUG, SOLUTION, House
from tests.service.test_pages import form

PAGE = f"staff/assignments/{SLUG}/regrade"
DECIDE = f"staff/assignments/{SLUG}/staged"


@pytest.fixture
def staged(house: House) -> list[int]:
    """Ada's and Ben's work, graded again: 50 before, 30 and 50 now."""
    ids = [house.submit("ada"), house.submit("ben", SOLUTION + b"#")]
    for identity in ids:
        house.grade(identity)
    assert form(house, "ivy", PAGE, {}).status_code == 303
    house.grade(ids[0], points=10, code=Verdict.WRONG_ANSWER)
    house.grade(ids[1])
    return ids


def picks(house: House) -> dict[int, str]:
    """Submission → what its checkbox sends."""
    return {i: f"{i}:{row['grade']}" for i, row in house.ledger.staged("course").items()}


def score(house: House, who: str, identity: int) -> float:
    """As the student is told."""
    return float(house.api(who, "GET", f"api/submissions/{identity}").json()["grade"]["score"])


def rows(house: House) -> dict[int, dict[str, Any]]:
    """What the API says about the regrade."""
    found = house.api("tom", "GET", f"api/assignments/{SLUG}/regrade").json()
    return {row["submission"]: row for row in found}


def test_the_difference_is_shown_before_anything_is_live(house: House, staged: list[int]) -> None:
    """Old, new and what changed for staff; students see the old grade and no trace of the new one."""
    text = house.page("ivy", PAGE).text
    assert "2 new verdicts wait" in text and "-20" in text and "formula: passed 30 → wrong-answer 10" in text
    assert "Make all 2 live" in text and "same" in text
    assert score(house, "ada", staged[0]) == 50 and "waits" not in house.page("ada", f"submissions/{staged[0]}").text
    assert "30 points waits" in house.page("tom", f"submissions/{staged[0]}").text
    assert house.api("ada", "GET", f"api/assignments/{SLUG}/regrade").status_code == 403
    assert rows(house)[staged[0]] | {"criteria": None} == {
        "submission": staged[0], "student": "ada", "before": 50, "now": 30, "change": -20, "where": "staged",
        "review": None, "criteria": None,
    }  # fmt: skip


def test_all_are_made_live_at_once(house: House, staged: list[int]) -> None:
    """By an instructor, on the record."""
    data = {"action": "live", "everything": "1", "pick": list(picks(house).values())}
    assert form(house, "tom", DECIDE, data).status_code == 403
    assert form(house, "ada", DECIDE, data).status_code == 403 and score(house, "ada", staged[0]) == 50
    assert form(house, "ivy", DECIDE, data).status_code == 303
    assert score(house, "ada", staged[0]) == 30
    assert [row["where"] for row in rows(house).values()] == ["live", "live"] and rows(house)[staged[0]]["before"] == 50
    assert [(r["who"], r["what"]) for r in house.ledger.audit(limit=2)] == [("ivy", "made live")] * 2
    assert form(house, "ivy", DECIDE, data).status_code == 422
    assert "There was none" not in house.page("ivy", PAGE).text


def test_a_large_class_is_decided_on_by_the_page_s_own_form(house: House) -> None:
    """However many verdicts wait: each is a field."""
    ids = [house.submit("ada", SOLUTION + b"#%d" % i) for i in range(25)]
    for identity in ids:
        house.grade(identity)
    for identity in ids:
        house.ledger.regrade(identity, by="ivy", staged=True)
        house.grade(identity, points=10)
    text = re.search(r'<form[^>]* id="all".*?</form>', house.page("ivy", PAGE).text, re.DOTALL)
    assert text is not None and "Make all 25 live" in text[0]
    sent = re.findall(r'name="pick" value="([^"]+)"', text[0])
    assert len(sent) == 25
    many = [f"{100_000 + i}:{100_000 + i}" for i in range(10_000 - 25)]  # long decided on: skipped, and read
    data = {"action": "live", "everything": "1", "pick": sent + many}
    assert form(house, "ivy", DECIDE, data).status_code == 303
    assert house.ledger.staged("course") == {} and score(house, "ada", ids[24]) == 30


def test_a_chosen_one_is_made_live_and_another_discarded(house: House, staged: list[int]) -> None:
    """The others wait on."""
    chosen = picks(house)
    assert form(house, "ivy", DECIDE, {"action": "discard", "pick": chosen[staged[0]]}).status_code == 303
    assert score(house, "ada", staged[0]) == 50 and rows(house)[staged[0]]["where"] == "unchanged"
    assert list(house.ledger.staged("course")) == [staged[1]]
    assert form(house, "tom", DECIDE, {"action": "live", "pick": chosen[staged[1]]}).status_code == 303
    assert rows(house)[staged[1]]["where"] == "live"
    noted = [(r["who"], r["what"]) for r in house.ledger.audit(limit=10)]
    assert noted.index(("tom", "made live")) < noted.index(("ivy", "discarded"))


def test_everything_is_discarded_even_what_is_under_way(house: House, staged: list[int]) -> None:
    """Old grades stand, and nothing stays in the queue."""
    house.ledger.regrade(staged[1], by="ivy", staged=True)
    assert "1 still under way" in house.page("ivy", PAGE).text
    data = {"action": "discard", "everything": "1", "pick": picks(house)[staged[0]]}
    assert form(house, "ivy", DECIDE, data).status_code == 303
    assert house.ledger.staged("course") == {} and house.ledger.counts()["queued"] == 0
    assert score(house, "ben", staged[1]) == 50


def test_what_was_not_shown_is_not_made_live(house: House, staged: list[int]) -> None:
    """An old page decides nothing about a newer verdict, nor about another assignment's."""
    old = picks(house)[staged[0]]
    house.ledger.regrade(staged[0], by="ivy", staged=True)
    house.grade(staged[0], points=0)
    form(house, "ivy", DECIDE, {"action": "live", "pick": old})
    assert score(house, "ada", staged[0]) == 50 and house.ledger.staged("course")[staged[0]]["score"] == 20
    for data in ({"action": "live"}, {"action": "win", "pick": old}, {"action": "live", "pick": "x"},
                 {"action": "live", "pick": f"{staged[0]}:{2**80}"}, {"action": "live", "pick": "99:99"}):  # fmt: skip
        assert form(house, "ivy", DECIDE, data).status_code == 422


def test_one_submission_is_staged_from_its_own_page(house: House) -> None:
    """And reviewed points keep counting, which the page says."""
    identity = house.submit("ada")
    house.grade(identity)
    house.ledger.review(identity, by="tom", points=44, reason="r")
    assert form(house, "tom", f"staff/submissions/{identity}/regrade", {}).status_code == 303
    assert "being graded again; nothing changes" in house.page("tom", f"submissions/{identity}").text
    house.grade(identity, points=0)
    assert score(house, "ada", identity) == 50
    assert "A review of 44 points counts instead" in house.page("tom", PAGE).text


def test_the_api_can_stage_too(house: House) -> None:
    """One by a query, all by the body."""
    identity = house.submit("ada")
    house.grade(identity)
    house.api("tom", "POST", f"api/submissions/{identity}/regrade", params={"staged": True})
    house.grade(identity, points=0)
    assert rows(house)[identity]["now"] == 20 and score(house, "ada", identity) == 50
    house.api("ivy", "POST", f"api/assignments/{SLUG}/regrade", json={"dry_run": False, "staged": True})
    house.grade(identity, points=5)
    assert rows(house)[identity]["now"] == 25 and score(house, "ada", identity) == 50


def test_changes_are_put_into_words() -> None:
    """New, changed and vanished criteria."""
    one = {"id": "a", "points": 1.0, "verdict": "passed"}
    other = {"id": "b", "points": 0.0, "verdict": "too-slow"}
    assert changes(None, {"criteria": [one]}) == ["a: new, passed 1"]
    assert changes({"criteria": [one, other]}, {"criteria": [one | {"points": 2.0}]}) == [
        "a: passed 1 → passed 2",
        "b: gone",
    ]


@pytest.mark.parametrize("value", ["", "1", "1:", ":1", "a:b", "1:-1", "0:1", f"1:{2**60}"])
def test_a_pick_is_two_numbers(value: str) -> None:
    """Nothing else reaches a query."""
    with pytest.raises(ValueError):
        picked([value])
