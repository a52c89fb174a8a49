"""The hub image can start the hub, the proxy and the service; and holds no assignment and no secret."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from hub import proxy, roles
from hub.site import Site

for program in ("jupyterhub", "autograder", "nbgrader", "alembic"):
    assert shutil.which(program), program
assert subprocess.run([*proxy.command(), "--version"], capture_output=True, check=True).stdout
shown = subprocess.run(["autograder", "--help"], capture_output=True, text=True, check=True).stdout
assert "serve" in shown and "hub" in shown, shown
assert roles.service(Site(address="127.0.0.1"))["url"] == "http://127.0.0.1:8700"
for name in ("dockerspawner", "oauthenticator", "nativeauthenticator", "psycopg", "fastapi", "dask_jobqueue"):
    assert importlib.util.find_spec(name), name
assert importlib.util.find_spec("reference") is None
for root in map(Path, ("/opt", "/home", "/srv")):
    for path in root.rglob("*"):
        assert path.name not in ("test_hidden.py", "mutants", "assignment.toml"), path
assert shutil.which("pip") is None and os.getuid() != 0
print("ok")
