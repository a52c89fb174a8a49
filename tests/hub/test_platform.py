"""The whole platform: JupyterHub, students' containers, nbgrader's buttons, the grading service, Formgrader."""

from __future__ import annotations

import json
import shutil

import pytest

from hub.nbgrader_plugins.client import Service

from .conftest import COURSE
from .real_hub import SLUG, Browser, container_of, until

pytestmark = [
    pytest.mark.hub,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # docker's sockets
]


def test_a_server_is_locked_down_and_alone(ada: Browser, tess: Browser) -> None:
    """Limits and no capabilities; it reaches the service, and neither another server nor anything outside."""
    mine, other = container_of(ada), container_of(tess)
    host = mine.attrs["HostConfig"]
    assert host["CapDrop"] == ["ALL"] and "no-new-privileges" in host["SecurityOpt"]
    assert host["Memory"] == 2 << 30 and host["PidsLimit"] == 512 and not host["Privileged"]
    (network,) = other.attrs["NetworkSettings"]["Networks"].values()
    program = (
        "import os, socket, urllib.request as u\n"
        "r = u.Request(os.environ['AUTOGRADER_URL'] + 'api/me', headers={'Authorization': 'token ' + os.environ['JUPYTERHUB_API_TOKEN']})\n"
        "print(u.urlopen(r, timeout=10).status)\n"
        f"for where in (('{network['IPAddress']}', 8888), ('192.0.2.1', 80), ('1.1.1.1', 53)):\n"
        "    try:\n        socket.create_connection(where, 3); print('reached', where)\n"
        "    except OSError:\n        print('closed')\n"
        "print(os.getuid(), os.path.exists('/var/run/docker.sock'), os.path.exists('/home/jovyan/course'))\n"
    )
    said = mine.exec_run(["python", "-c", program]).output.decode().split()
    assert said == ["200", "closed", "closed", "closed", "1000", "False", "False"]


def test_students_and_staff_see_their_own_tools(ada: Browser, tess: Browser) -> None:
    """Formgrader is there for the TA only, and may be framed by the hub."""
    assert ada.ask("GET", "/user/ada/formgrader/").status_code == 404
    answer = tess.ask("GET", "/user/tess/formgrader/")
    assert answer.status_code == 200 and tess.demo.url in answer.headers["Content-Security-Policy"]


def test_nobody_opens_somebody_elses_server(ada: Browser, tess: Browser) -> None:
    """Not even a TA."""
    assert tess.ask("GET", "/user/ada/api/contents").status_code == 403
    assert ada.ask("GET", "/user/tess/api/contents").status_code == 403


@pytest.mark.docker
def test_from_the_button_to_formgrader_and_back(ada: Browser, tess: Browser) -> None:
    """Fetch, solve, submit, graded in a container, in Formgrader, feedback fetched: with nbgrader's own buttons."""
    (row,) = [r for r in ada.assignments() if r["status"] == "released"]
    assert row["assignment_id"] == SLUG
    ada.assignments("fetch")
    where = f"/user/ada/api/contents/{SLUG}/{SLUG}.ipynb"
    model = ada.ask("GET", where).json()
    solved = {
        c["metadata"]["nbgrader"]["grade_id"]: c
        for c in json.loads((COURSE / SLUG / f"{SLUG}.ipynb").read_text())["cells"]
        if c["metadata"].get("nbgrader", {}).get("solution")
    }
    for cell in model["content"]["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in solved:
            source = solved[name]["source"]
            cell["source"] = source if isinstance(source, str) else "".join(source)
    assert ada.ask("PUT", where, json={"type": "notebook", "content": model["content"]}).is_success
    program = "from hub.magic.autograde import autograde; print(autograde(''))"
    said = container_of(ada).exec_run(["python", "-c", program], workdir=f"/home/jovyan/{SLUG}").output.decode()
    assert "public checks passed" in said and "✗" not in said, said
    ada.assignments("submit")
    (queued,) = ada.service("submissions")
    with Service(ada.demo.service_url, ada.token) as service:
        entry = service.wait(queued["id"], 400.0)
    # every correctness point; speed may stay undecided on a machine that also runs this hub, and then waits for staff
    assert entry["state"] in ("graded", "needs-staff") and entry["score"] >= 45, entry
    until(lambda: ada.service("exchange/course/feedback"), 120.0)
    groups = [r for r in ada.assignments("fetch_feedback") if r["status"] == "submitted"]
    (submission,) = groups[0]["submissions"]
    assert submission["has_local_feedback"]
    page = ada.ask("GET", f"/user/ada/files/{submission['local_feedback_path']}/{SLUG}.html").text
    assert "Report of the autograder" in page and "def test_" not in page
    pressed = tess.ask("POST", f"/user/tess/formgrader/api/submission/{SLUG}/ada/autograde").json()
    assert pressed["success"], pressed
    everybody = tess.ask("GET", f"/user/tess/formgrader/api/submissions/{SLUG}").json()
    (shown,) = [s for s in everybody if s["student"] == "ada"]
    assert shown["autograded"]
    assert shown["code_score"] == pytest.approx(entry["score"]) and shown["needs_manual_grade"]
    csv = tess.ask("GET", f"/services/autograder/api/assignments/{SLUG}/grades.csv")
    assert csv.is_success and "ada" in csv.text
    assert ada.ask("GET", f"/services/autograder/api/assignments/{SLUG}/grades.csv").status_code == 403


@pytest.mark.browser
def test_the_assignment_list_and_formgrader_open_in_jupyterlab(ada: Browser, tess: Browser) -> None:
    """Students' menu leads to the Assignment List and not to Formgrader, whose frame is not blank for the TA."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"] if program else []
        )
        menus = {}
        for person, item in ((ada, "Assignment List"), (tess, "Formgrader")):
            page = chromium.new_context(viewport={"width": 1400, "height": 1000}).new_page()
            page.goto(f"{person.demo.url}/hub/login?next=%2Fuser%2F{person.name}%2Flab%3Freset")
            page.fill("#username_input", person.name)
            page.fill("#password_input", person.demo.password)
            page.click("#login_submit")
            page.locator(".lm-MenuBar-item", has_text="Nbgrader").click(timeout=90_000)
            menus[person.name] = page.locator(".lm-Menu-itemLabel").all_inner_texts()
            page.locator(".lm-Menu-item", has_text=item).first.click()
            if person is ada:
                page.get_by_text(SLUG).first.wait_for(timeout=30_000)
            else:
                frame = page.frame_locator("iframe[src*=formgrader]")
                frame.get_by_text(SLUG).first.wait_for(timeout=30_000)
            page.context.close()
        chromium.close()
    assert "Assignment List" in menus["ada"] and "Formgrader" not in menus["ada"], menus
    assert "Formgrader" in menus["tess"], menus
