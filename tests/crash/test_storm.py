"""Deadline night, small enough for every run of the tests; `tests/bench/storm.py` runs the whole."""

from __future__ import annotations

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from tests.bench.storm import run, storm


class Away(BaseHTTPRequestHandler):
    """A service that takes everything in, and shows nobody a page."""

    def do_GET(self):
        """To the login, as if nobody were known."""
        self.send_response(303)
        self.send_header("Location", "/login")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Says nothing."""


def test_a_page_that_is_not_shown_ends_the_evening():
    """What the reader found out was heard by nobody, and its page times were those of the pages before."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Away) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        world = SimpleNamespace(url=f"http://127.0.0.1:{server.server_address[1]}/", told={})
        try:
            with pytest.raises(ExceptionGroup) as found:
                asyncio.run(asyncio.wait_for(storm(world, {"s0": "token"}, 60), 30))
        finally:
            server.shutdown()
    assert [type(error) for error in found.value.exceptions] == [AssertionError]


def test_three_hundred_students_in_fifteen_seconds(tmp_path, request):
    """Everybody has a receipt within seconds, everybody is graded, the pages stay usable."""
    found = run(tmp_path / "w", "", students=300, seconds=15, grading=0.02)
    assert found["receipts"] == 300 and found["attempts"] == 300
    assert found["receipt_ms"]["p99"] < 5000 and found["page_ms"]["p99"] < 5000, found
