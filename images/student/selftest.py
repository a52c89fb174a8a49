"""The student image can do what a student and a TA need, and holds nothing that they must not read."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import numba
import numpy as np
import scipy.linalg

matplotlib.use("Agg")
x = np.arange(9.0).reshape(3, 3)
assert np.allclose(scipy.linalg.expm(0 * x), np.eye(3))
assert numba.njit(lambda a: a.sum())(x) == 36.0

home = Path(os.environ["HOME"])
(home / "lesson.py").write_text("print(6 * 7)")
assert subprocess.run([sys.executable, "lesson.py"], cwd=home, capture_output=True, check=True).stdout == b"42\n"
world = "from mpi4py import MPI; c = MPI.COMM_WORLD; s = c.allreduce(c.rank + 1); c.rank or print(s)"
two = ["mpiexec", "-n", "2", sys.executable, "-c", world]
assert subprocess.run(two, capture_output=True, text=True, check=True, timeout=60).stdout == "3\n"

for program in ("jupyterhub-singleuser", "jupyter-lab", "nbgrader", "autograder", "gcc", "start-autograder"):
    assert shutil.which(program), program
shown = subprocess.run(["autograder", "--help"], capture_output=True, text=True, check=True).stdout
assert "check" in shown
told = "from hub.nbgrader_plugins.exchange import HttpExchange; from nbgrader.apps import NbGrader; a = NbGrader(); "
told += "a.load_config_file(); print(a.config.ExchangeFactory.submit.__module__, a.config.CourseDirectory.course_id)"
found = subprocess.run(
    [sys.executable, "-c", told],
    capture_output=True,
    text=True,
    check=True,
    env={**os.environ, "AUTOGRADER_COURSE": "c1"},
)
assert found.stdout.split() == ["hub.nbgrader_plugins.submit", "c1"], found
importlib.import_module("hub.magic")
for module in ("hub.nbgrader_plugins.formulas", "jupyter_client.manager", "ipykernel"):
    importlib.import_module(module)

assert importlib.util.find_spec("reference") is None and importlib.util.find_spec("assignments") is None
for root in map(Path, ("/opt", "/home", "/srv", "/usr/local")):
    for path in root.rglob("*"):
        assert path.name not in ("test_hidden.py", "mutants", "assignment.toml"), path
assert shutil.which("pip") is None and os.getuid() != 0
print("ok")
