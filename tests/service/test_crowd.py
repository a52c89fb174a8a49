"""Who waits for a drawing keeps nobody from handing in."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import HTTPException

from hub.service import charts, showcase, staff

from .conftest import SLUG, SOLUTION, House

CROWD = 60  # more than the service has threads for what blocks


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("ada", "api/submissions/1/report"),
        ("tom", f"staff/assignments/{SLUG}/scores.svg"),
        ("tom", f"staff/assignments/{SLUG}/speedups.svg"),
        ("tom", "showcase/index.html"),
        ("tom", "showcase.zip"),
    ],
)
def test_a_crowd_before_a_slow_drawing_stops_no_submission(
    house: House, monkeypatch: pytest.MonkeyPatch, who: str, path: str
) -> None:
    """Each is answered in the end."""
    house.grade(house.submit())
    begun, over = threading.Event(), threading.Event()

    def slow(*_: Any, **__: Any) -> str:
        begun.set()
        assert over.wait(60)
        return "drawn"

    def site(*_: Any) -> Any:
        slow()
        raise HTTPException(409, "not today")

    monkeypatch.setattr(charts, "page", slow)
    monkeypatch.setattr(staff.charts, "scores", slow)
    monkeypatch.setattr(staff.charts, "speedups", slow)
    monkeypatch.setattr(showcase, "_site", site)
    browser = house.browser(who)
    headers = {"Authorization": f"token {house.tokens[who]}"}
    with ThreadPoolExecutor(CROWD) as crowd:
        asked = [
            crowd.submit(browser.get, house.settings.prefix + path, headers=headers, timeout=60) for _ in range(CROWD)
        ]
        try:
            assert begun.wait(20)
            threading.Event().wait(0.5)  # until all of them wait
            answer = house.api(
                "ben", "POST", f"api/assignments/{SLUG}/submissions", content=SOLUTION + b"#", timeout=10
            )
        finally:
            over.set()
        assert answer.status_code == 201
        assert {one.result().status_code for one in asked} == {409 if path.startswith("showcase") else 200}
