"""The program itself: first start, a request, a live stream, and a quick, clean stop."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.conftest import FIXTURES

_START = "from hub.service.command import serve; serve()"


def test_it_starts_serves_and_stops(tmp_path: Path) -> None:
    """The instructor's token is shown at the first start only; SIGTERM ends a server with an open stream within seconds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AUTOGRADER_", "JUPYTERHUB_"))}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", _START, "--no-grader", "--port", str(port), "--state", str(tmp_path)]
    for first in (True, False):
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=FIXTURES, env=environment) as server:
            assert server.stderr is not None
            said = ""
            for line in server.stderr:
                said += line
                if "running on" in line.lower():
                    break
            shown = re.search(r"token is (\S+)", said)
            assert (shown is not None) is first, said
            if shown is not None:
                headers = {"Authorization": f"token {shown[1]}"}
                with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=20) as client:
                    assert client.get("/api/me").json()["role"] == "instructor"
                    answer = client.post("/api/assignments/t_basic/submissions", content=b"def work(): ...\n")
                    assert answer.status_code == 201, answer.text
                    with client.stream("GET", answer.json()["url"] + "/events") as stream:
                        lines = stream.iter_lines()
                        next(lines)
                        server.send_signal(signal.SIGTERM)
                        for _ in lines:  # ends, although nothing was graded
                            pass
            else:
                server.send_signal(signal.SIGTERM)
            server.wait(15)
            assert "Traceback" not in said + server.stderr.read()
