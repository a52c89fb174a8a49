"""Claims of a team, re-run in containers: planted ratios, and programs that do not deserve a number."""

import shutil

import pytest

from autograder.api import Node, Options
from autograder.course.project import read_project
from autograder.domain.project import Standing
from autograder.engine.claims import measure

pytestmark = pytest.mark.docker

PROJECT = """
title = "Planted"
abstract = "The baseline does everything three times."
[[team]]
name = "A"
[functions.work]
arguments = ["x: f8[n]", "steps: int"]
returns = ["f8[n]", "float"]
"""
CLAIM = """
[[claims]]
id = "{0}"
title = "{0}"
function = "work"
baseline = "{1}"
program = "{2}"
speedup = {3}
rtol = 1e-12
kind = "{4}"
inputs = {{ x = {{ draw = "normal", mean = 0, sd = 1, shape = [50_000] }}, steps = 200 }}
"""
ONCE = """
import numpy as np
def once(x, steps):
    y = x.copy()
    for _ in range(steps):
        np.multiply(y, y, out=y)
        np.add(y, 1.0, out=y)
        np.sqrt(y, out=y)
    return y
"""
FILES = {
    "shared/once.py": ONCE,
    "thrice.py": "from shared.once import once\ndef work(x, steps):\n"
    "    for _ in range(3):\n        y = once(x, steps)\n    return y, float(y.sum())\n",
    "fast.py": "from shared.once import once\ndef work(x, steps):\n    y = once(x, steps)\n    return y, float(y.sum())\n",
    "fewer_steps.py": "from shared.once import once\ndef work(x, steps):\n    y = once(x, steps - 1)\n    return y, float(y.sum())\n",
    "zeros.py": "def work(x, steps):\n    return 0.0 * x, 0.0\n",
    "remembers.py": "def work(x, steps):\n    return 0.0 * x + 1.0, 1.0\n",
    "raises.py": "def work(x, steps):\n    raise ValueError('not today')\n",
    "does_not_load.py": "import nothing_of_that_name\n",
    # says that an empty call costs as much as ten of its own
    "lies.py": "import __main__, time\nfrom thrice import work\n_go = __main__.Guest.go\n"
    "def go(self, empty=False):\n    if empty:\n        time.sleep(0.2)\n    return _go(self, empty)\n"
    "__main__.Guest.go = go\n",
    "needs_nothing.py": "def work(x, steps):\n    return x, 0.0\n",
}
CLAIMS = {
    "honest": ("thrice.py", "fast.py", 3.0, "serial", Standing.VERIFIED, ""),
    "boasts": ("thrice.py", "fast.py", 6.0, "serial", Standing.SLOWER, ""),
    "modest": ("thrice.py", "fast.py", 1.5, "serial", Standing.FASTER, ""),
    "leaves-out": ("thrice.py", "fewer_steps.py", 3.0, "serial", Standing.FAILED, "wrong-answer"),
    "proves-nothing": ("zeros.py", "zeros.py", 1.0, "serial", Standing.FAILED, "nothing but zeros"),
    "remembers": ("remembers.py", "remembers.py", 1.0, "serial", Standing.FAILED, "could remember"),
    "raises": ("raises.py", "fast.py", 3.0, "serial", Standing.FAILED, "the baseline: "),
    "does-not-load": ("does_not_load.py", "fast.py", 3.0, "serial", Standing.FAILED, "the baseline: "),
    "fails-itself": ("thrice.py", "raises.py", 3.0, "serial", Standing.FAILED, "not today"),
    "lies": ("lies.py", "fast.py", 3.0, "serial", Standing.VERIFIED, ""),
    "gpu": ("needs_nothing.py", "needs_nothing.py", 1.0, "gpu", Standing.WAITING, ""),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """All claims in one project; its programs share a module in a folder."""
    folder = tmp_path_factory.mktemp("projects") / "planted"
    for name, source in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    claims = "".join(CLAIM.format(name, *row[:4]) for name, row in CLAIMS.items())
    (folder / "project.toml").write_text(PROJECT + claims, encoding="utf-8")
    yield read_project(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def one_node(engine):
    """A machine without a GPU, one process pair a duel."""
    with Node(Options(pairs=1, gpus=())) as node:
        yield node


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_gets_the_standing_that_it_deserves(one_node, project, name):
    """Measured again while the machine is noisy."""
    *_, expected, words = CLAIMS[name]
    read, files = project
    claim = next(c for c in read.claims if c.id == name)
    for _ in range(4):
        found, grade = measure(one_node, read, files, claim, lambda _: None)
        if found.standing is not Standing.UNDECIDED:
            break
    assert found.standing is expected, (found, [c.evidence for c in grade.criteria])
    assert words in found.words
    if expected in (Standing.VERIFIED, Standing.SLOWER, Standing.FASTER):
        low, high = found.interval  # of 3, but for the pages that a call draws anew: tests/bench/pages.py
        assert len(found.ratios) >= 12 and 0.98 * low < 3.0 < 1.02 * high
        assert 2.5 < found.baseline_s / found.program_s < 3.5


def test_nothing_of_a_claim_stays_behind(one_node, project, tmp_path, monkeypatch):
    """The folder that it is staged in goes, and no guest of a team's baseline is kept warm."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    read, files = project
    measure(one_node, read, files, next(c for c in read.claims if c.id == "raises"), lambda _: None)
    assert not list(tmp_path.glob("autograder-claim-*")) and not one_node._warm.kept
