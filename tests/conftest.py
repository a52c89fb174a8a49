"""Shared fixtures: the test course, a node that lives as long as the session, and honest reasons for every skip."""

from __future__ import annotations

import os
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
