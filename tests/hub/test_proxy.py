"""The proxy is installed whole, in our version, or not at all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hub import proxy

# stands for npm: lays files out one by one, and the list of them last; without a network it gives up in between
NPM = """
import json, os, sys
from pathlib import Path
home = Path(sys.argv[sys.argv.index("--prefix") + 1])
name, _, version = sys.argv[-1].rpartition("@")
script = home / "node_modules" / name / "bin" / name
script.parent.mkdir(parents=True)
script.write_text(version)
if os.environ.get("NETWORK") == "gone":
    sys.exit("ECONNRESET")
listed = {"packages": {f"node_modules/{name}": {"version": version}}}
(home / "node_modules" / ".package-lock.json").write_text(json.dumps(listed))
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is installed; nothing of the system's is found."""
    (tmp_path / "npm.py").write_text(NPM)
    monkeypatch.setattr(proxy, "node", lambda: (["node"], [sys.executable, str(tmp_path / "npm.py")]))
    monkeypatch.setattr(proxy, "HOME", tmp_path / "lib" / "chp")
    monkeypatch.setattr(proxy.shutil, "which", lambda _: None)
    monkeypatch.delenv("AUTOGRADER_PROXY", raising=False)
    return tmp_path / "lib" / "chp"


def test_an_installation_that_was_interrupted_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What npm left half-way is taken for nothing, also where it lies in the proxy's place."""
    monkeypatch.setenv("NETWORK", "gone")
    with pytest.raises(proxy.ProxyError, match="ECONNRESET"):
        proxy.ensure()
    assert not list(home.parent.iterdir())
    script = home / "node_modules" / proxy.PACKAGE / "bin" / proxy.PACKAGE
    script.parent.mkdir(parents=True)
    script.touch()
    with pytest.raises(proxy.ProxyError, match="not installed"):
        proxy.command()
    monkeypatch.delenv("NETWORK")
    assert proxy.ensure() == ["node", str(script)] and script.read_text() == proxy.VERSION
    assert [p.name for p in home.parent.iterdir()] == ["chp"]


def test_another_version_is_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade of ours; one that fits is left alone."""
    with monkeypatch.context() as before:
        before.setattr(proxy, "VERSION", "5.0.0")
        proxy.ensure()
    _, script = proxy.ensure()
    assert Path(script).read_text() == proxy.VERSION
    Path(script).write_text("as it was")
    proxy.ensure()
    assert Path(script).read_text() == "as it was"
