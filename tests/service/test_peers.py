"""Teams read each other, and the class votes: who sees what, who may write what, and that nothing is lost."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from autograder.api import Purpose
from hub.service.identity import Person
from hub.service.peers import EACH, VOTE, deal, votes
from tests.service.conftest import House
from tests.service.test_pages import form
from tests.service.test_projects import EVIL, grade, hand_in, project

TEXT = "The oracle is independent and the tolerances are derived. " * 5
OPEN = datetime(2026, 12, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize("teams", [2, 3, 4, 17])
def test_everybody_reads_as_often_as_is_read(teams: int) -> None:
    """Never oneself, nobody twice."""
    found = deal([f"t{i}" for i in range(teams)], {}, random.Random(teams))
    each = min(EACH, teams - 1)
    assert len(found) == teams
    assert all(len(set(o)) == each and reader not in o for reader, o in found.items())
    assert set(Counter(o for others in found.values() for o in others).values()) == {each}


def test_who_comes_later_reads_those_that_are_read_least() -> None:
    """And changes nothing of what was dealt."""
    known = deal(["a", "b", "c"], {}, random.Random(1))
    more = deal(["a", "b", "c", "d", "e"], known, random.Random(1))
    assert set(more) == {"d", "e"} and "e" in more["d"] and "d" in more["e"]


@pytest.fixture
def class_of_three(house: House) -> dict[str, int]:
    """Owner → submission of two teams; eve has none."""
    house.tokens["eve"] = house.app.state.desk.identity.file.add("eve", "student")
    numbers = {}
    for who, title in (("ada", EVIL), ("ben", "Reactions")):
        numbers[who] = int(hand_in(house, who, project(title)).json()["receipt"]["submission"])
        grade(house, numbers[who])
    return numbers


def at(house: House, monkeypatch: Any, when: datetime) -> None:
    """The ledger's clock."""
    monkeypatch.setattr(house.ledger, "clock", lambda: when)


def test_a_review_goes_to_its_team_with_a_name(house: House, class_of_three: dict[str, int], monkeypatch: Any) -> None:
    """Dealt by staff, written by who reads, replaced when it is written again; staff see what is missing."""
    at(house, monkeypatch, OPEN.replace(day=1))
    path = f"peers/{class_of_three['ben']}"
    assert "Nothing has been dealt to you" in house.page("ada", "peers").text
    assert house.page("ada", f"{path}/archive").status_code == 404
    assert form(house, "ada", "peers/deal", {}).status_code == 403
    assert form(house, "tom", "peers/deal", {}).status_code == 303
    shown = house.page("ada", "peers").text
    assert "Reactions" in shown and "3× is claimed: verified." in shown and ">ben<" not in shown
    assert house.page("ada", f"{path}/archive").content == house.ledger.content(class_of_three["ben"])
    assert form(house, "ada", f"{path}/review", {"text": "too short"}).status_code == 422
    assert form(house, "ada", f"{path}/review", {"text": TEXT}).status_code == 303
    assert form(house, "ada", f"{path}/review", {"text": EVIL + TEXT}).status_code == 303
    theirs = house.page("ben", "peers").text
    assert "ada writes" in theirs and EVIL not in theirs and theirs.count("The oracle is independent") == 5
    assert f"{len((EVIL + TEXT).strip())} characters" in house.page("tom", "peers").text
    assert "not written yet" in house.page("tom", "peers").text
    assert TEXT.strip() in house.page("ada", "peers").text
    assert house.ledger.verify_audit() > 0


def test_nobody_reads_or_writes_what_was_not_dealt(
    house: House, class_of_three: dict[str, int], monkeypatch: Any
) -> None:
    """Not one's own, not as a bystander, not another assignment's; staff may read all."""
    at(house, monkeypatch, OPEN.replace(day=1))
    form(house, "tom", "peers/deal", {})
    other = house.submit("ben")
    for who, number in (("ada", class_of_three["ada"]), ("eve", class_of_three["ada"]), ("ada", other), ("ada", 10**6)):
        assert house.page(who, f"peers/{number}/archive").status_code == 404
        assert form(house, who, f"peers/{number}/review", {"text": TEXT}).status_code == 404
    assert house.page("tom", f"peers/{class_of_three['ada']}/archive").status_code == 200
    assert "Ben" not in house.page("eve", "peers").text


def test_a_team_s_tries_are_its_own(house: House, class_of_three: dict[str, int], monkeypatch: Any) -> None:
    """What was dealt is what was handed in."""
    at(house, monkeypatch, OPEN.replace(day=1))
    form(house, "tom", "peers/deal", {})
    tried = house.ledger.submit(
        course="course", assignment="t_project", student="ben", name="p.zip", content=b"PK", channel="api",
        purpose=Purpose.TRY,
    )  # fmt: skip
    assert house.page("ada", f"peers/{class_of_three['ben']}/archive").status_code == 200
    assert house.page("ada", f"peers/{tried.submission}/archive").status_code == 404


def test_the_audit_tells_nobody_s_vote(house: House, class_of_three: dict[str, int], monkeypatch: Any) -> None:
    """It holds who voted, and no digest that the names of the class would give; ballots of before still count."""
    at(house, monkeypatch, OPEN)
    form(house, "eve", "peers/vote", {"submission": str(class_of_three["ada"])})
    (row,) = (r for r in house.ledger.audit(limit=20) if r["what"] == VOTE)
    assert row["who"] == "eve" and not any(sha256(n.encode()).hexdigest() in str(row) for n in ("ada", "ben"))
    house.ledger.put_artefact("course", VOTE, "t_project", "ben", "", b"ada", "ben")
    desk = house.app.state.desk
    assert votes(desk, "t_project", Person("tom", "ta")) == {"eve": "ada", "ben": "ada"}


def test_a_team_that_hands_in_again_keeps_its_readers(
    house: House, class_of_three: dict[str, int], monkeypatch: Any
) -> None:
    """What was written before stays with it, and the new version is what is read."""
    at(house, monkeypatch, OPEN.replace(day=1))
    form(house, "tom", "peers/deal", {})
    form(house, "ada", f"peers/{class_of_three['ben']}/review", {"text": TEXT})
    number = hand_in(house, "ben", project("Second thoughts")).json()["receipt"]["submission"]
    shown = house.page("ada", "peers").text
    assert "Second thoughts" in shown and TEXT.strip() in shown and "not measured yet" in shown
    assert form(house, "ada", f"peers/{number}/review", {"text": TEXT}).status_code == 303


def test_the_class_votes_from_the_day_on(house: House, class_of_three: dict[str, int], monkeypatch: Any) -> None:
    """Once each, not for one's own, and it may be changed; staff see sums, and do not vote."""
    choice = {"submission": str(class_of_three["ada"])}
    at(house, monkeypatch, OPEN.replace(day=1))
    assert form(house, "eve", "peers/vote", choice).status_code == 403
    at(house, monkeypatch, OPEN)
    assert "Your vote" in house.page("eve", "peers").text
    for who, chosen in (("ada", choice), ("eve", {"submission": "0"}), ("eve", {})):
        assert form(house, who, "peers/vote", chosen).status_code == 422
    assert form(house, "tom", "peers/vote", choice).status_code == 403
    assert form(house, "ben", "peers/vote", choice).status_code == 303
    assert form(house, "eve", "peers/vote", {"submission": str(class_of_three["ben"])}).status_code == 303
    assert form(house, "eve", "peers/vote", choice).status_code == 303
    assert re.search(r'value="1"[^>]* checked', house.page("eve", "peers").text)
    table = house.page("tom", "peers").text.split('id="tally"')[1]
    assert re.findall(r'class="number">(\d+)<', table) == ["2"]
    assert "Votes" not in house.page("eve", "peers").text
    assert house.page("ada", f"submissions/{class_of_three['ada']}").text.count("vote") == 0


def test_one_project_alone_cannot_be_dealt(house: House) -> None:
    """Said, not failed."""
    hand_in(house, "ada", project())
    assert form(house, "tom", "peers/deal", {}).status_code == 422
