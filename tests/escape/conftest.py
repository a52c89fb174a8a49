"""The arena of the attacks."""

import os

import pytest

from autograder.api import Options, load
from tests.conftest import FIXTURES

from .arena import Arena
from .ranks import Ranks


@pytest.fixture(scope="session")
def arena(node, basic, engine):
    """The real judge, a sandbox that can be weakened, and weak graders."""
    return Arena(node, basic, engine, Options().image)


@pytest.fixture(scope="session")
def ranks(node, engine):
    """The same for worlds of ranks."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("the distributed test assignment asks for two cores")
    return Ranks(node, load(FIXTURES / "worlds" / "t_world"), engine, Options().image)


def pytest_collection_modifyitems(items):
    """Every attack needs the engine, unless its file says that it needs none."""
    for item in items:
        if "tests/escape/" in item.nodeid and {"arena", "ranks"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("docker")
