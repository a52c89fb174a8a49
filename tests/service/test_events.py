"""Streams: news in order, an end, and nothing that is not for whoever watches."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hub.service import events
from hub.service.events import message
from tests.service.conftest import House, verdict


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second is lost between looks."""
    monkeypatch.setattr(events, "LOOK_S", 0.01)
    monkeypatch.setattr(events, "ASK_S", 0.1)


def read(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """(event, data) until the stream ends."""
    event = ""
    for line in lines:
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield event, line.removeprefix("data: ")


def follow(house: House, who: str, path: str) -> Any:
    """An open stream."""
    return house.http.stream(
        "GET", f"{house.settings.prefix}{path}", headers={"Authorization": f"token {house.tokens[who]}"}
    )


def test_a_recorded_grade_ends_the_stream_at_once(house: House) -> None:
    """Whoever comes late hears the end."""
    submission = house.submit()
    house.grade(submission)
    with follow(house, "ada", f"api/submissions/{submission}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        news = [(e, json.loads(d)) for e, d in read(stream.iter_lines())]
    assert news == [("recorded", {"submission": submission, "phase": "recorded", "state": "graded"})]


def test_who_waits_for_a_gpu_is_not_kept_waiting_on_the_line(house: House) -> None:
    """There is a verdict on the rest; the stream ends with it."""
    submission = house.submit()
    held = house.ledger.lease("test", free=8, hold_s=60)
    assert held is not None
    body = verdict(held.name, held.sha256).to_json()
    body["criteria"][-1] |= {"points": 0, "verdict": "waiting-for-hardware", "evidence": {}}
    assert house.ledger.record(held, body)
    with follow(house, "ada", f"api/submissions/{submission}/events") as stream:
        news = [(e, json.loads(d)["state"]) for e, d in read(stream.iter_lines())]
    assert news == [("recorded", "waiting-for-hardware")]


def test_news_arrive_in_order_and_end_with_recorded(house: House) -> None:
    """Queued, checking, every round, recorded; what is for staff is left out, infinity is null."""
    submission = house.submit()
    seen = []
    with follow(house, "ada", f"api/submissions/{submission}/events") as stream:
        for event, data in read(stream.iter_lines()):
            seen.append((event, json.loads(data)))
            if event == "queued":
                house.grader.tell(submission, "check", criterion="formula", inner="no")
                house.grader.tell(
                    submission, "duel", criterion="speed", rounds=3, speedup=1.5, interval=(1.0, float("inf"))
                )
                house.grade(submission)
                house.grader.tell(submission, "recorded", problem="internal")
    assert [e for e, _ in seen] == ["queued", "check", "duel", "recorded"]
    assert "inner" not in seen[1][1] and seen[2][1]["interval"] == [1.0, None]
    assert seen[3][1]["state"] == "graded" and "problem" not in seen[3][1]
    assert house.grader.watching[submission] == []


def test_what_another_process_grades_is_noticed(house: House) -> None:
    """Without any news, the ledger ends the stream."""
    submission = house.submit()
    with follow(house, "ada", f"api/submissions/{submission}/events") as stream:
        for event, _ in read(stream.iter_lines()):
            if event == "queued":
                house.grade(submission)
            last = event
    assert last == "recorded"


def test_the_page_gets_sentences(house: House) -> None:
    """HTML that says what happens, by the criterion's title, then the way to the verdict."""
    submission = house.submit()
    seen = []
    with house.browser("ada").stream("GET", f"{house.settings.prefix}submissions/{submission}/live") as stream:
        for event, data in read(stream.iter_lines()):
            seen.append((event, data))
            if len(seen) == 1:
                house.grader.tell(submission, "check", criterion="formula")
                house.grade(submission)
                house.grader.tell(submission, "recorded")
    text = "\n".join(d for _, d in seen)
    assert "You are next." in text and "Random arrays follow the formula" in text
    assert [e for e, _ in seen][-1] == "end" and "Show the verdict" in text


def test_many_may_watch_but_not_one_person_endlessly(house: House) -> None:
    """Nine streams of one student are one too many; leaving frees the place."""
    submission = house.submit()
    opened = threading.Barrier(9)
    done = threading.Event()

    def watch() -> None:
        with follow(house, "ada", f"api/submissions/{submission}/events") as stream:
            lines = stream.iter_lines()  # held on to: a dropped iterator closes the connection
            next(lines)
            opened.wait(10)
            done.wait(10)

    threads = [threading.Thread(target=watch) for _ in range(8)]
    for thread in threads:
        thread.start()
    opened.wait(10)
    answer = house.api("ada", "GET", f"api/submissions/{submission}/events")
    assert answer.status_code == 429 and answer.headers["retry-after"]
    house.grade(submission)
    done.set()
    for thread in threads:
        thread.join(10)
    assert house.api("ada", "GET", f"api/submissions/{submission}/events").status_code == 200


def test_data_cannot_begin_an_event() -> None:
    """Line ends of any kind stay inside."""
    written = message("x", "a\nevent: evil\r\ndata: b\rc")
    assert [line for line in written.splitlines() if line.startswith("event:")] == ["event: x"]
