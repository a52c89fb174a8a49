"""Shared fixtures: the test course, a node that lives as long as the session, and honest reasons for every skip."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.api import Assignment, AutograderError, Node, Options, load
from autograder.sandbox.container import ContainerSandbox

collect_ignore = ["fixtures"]  # checks of the test course: they run in a judge
FIXTURES = Path(__file__).parent / "fixtures"
REPOSITORY = Path(__file__).resolve().parents[1]
# the real course's calendar passes; what is tested must not depend on the day
os.environ["AUTOGRADER_TERM"] = str(FIXTURES / "no_deadlines.toml")

# Folders and files whose tests time nothing: `make test` runs them on all cores, and then what times programs, alone.
BESIDE = ("cli/", "course/", "domain/", "hub/", "ledger/", "report/", "service/", "crash/test_nodes.py", "crash/test_service.py",
          "catalogue/test_notebooks.py", "engine/test_cluster.py", "engine/test_quarantine.py", "engine/test_sending.py",
          "engine/test_stale.py", "engine/test_teller.py", "test_architecture.py")  # fmt: skip
# fixtures by which something is graded, perhaps in a duel, or that use all cores by themselves
BUSY = {"node", "demo", "ada", "tess", "executed"}
PROBES = {
    "test_the_sandbox_holds",
    "test_without_the_rule_it_escapes",
    "test_the_intake_refuses",
    "test_a_naive_intake_is_hurt",
}
SHOWCASE = "cli/test_showcase.py"  # it duels without an engine
# probes that compare times, or need much of the machine within their call's limit
ALONE = ("escape/test_intake_costly_small_files.py", "escape/test_memory")


def pytest_configure() -> None:
    """Who is asked to end ends as by Ctrl-C: services, databases and containers that tests have started go with it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Says which tests may run beside others; who is not named here runs alone."""
    for item in items:
        path = item.path.relative_to(REPOSITORY / "tests").as_posix()
        fixtures = set(getattr(item, "fixturenames", ()))
        grades = path == SHOWCASE or (path.startswith("cli/") and item.get_closest_marker("docker") is not None)
        probe = path.startswith("escape/") and item.name in PROBES and "ranks" not in fixtures
        if (probe and not path.startswith(ALONE)) or (path.startswith(BESIDE) and not grades and not BUSY & fixtures):
            item.add_marker("beside")


@pytest.fixture(scope="session")
def basic() -> Assignment:
    """The test assignment."""
    return load(FIXTURES / "assignments" / "t_basic")


@pytest.fixture(scope="session")
def engine() -> ContainerSandbox:
    """A container engine with the grader image; without one `make test` has not been run through `make setup`."""
    try:
        sandbox = ContainerSandbox.shared()
        sandbox.image_id(Options().image)
    except AutograderError as error:
        pytest.fail(f"{error} (unmarked tests need no engine: make unit)")
    return sandbox


@pytest.fixture(scope="session")
def node(engine: ContainerSandbox) -> Iterator[Node]:
    """A node with one slot, for the test course."""
    with Node(Options(references=FIXTURES / "reference", slots=1)) as made:
        yield made
