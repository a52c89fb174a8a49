"""The arena of the attacks."""

import pytest

from autograder.api import Options

from .arena import Arena


@pytest.fixture(scope="session")
def arena(node, basic, engine):
    """The real judge, a sandbox that can be weakened, and weak graders."""
    return Arena(node, basic, engine, Options().image)


def pytest_collection_modifyitems(items):
    """Every attack needs the engine, unless its file says that it needs none."""
    for item in items:
        if "tests/escape/" in item.nodeid and "arena" in getattr(item, "fixturenames", ()):
            item.add_marker("docker")
