"""The tree and its rules."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograder.api

ROOT = Path(__file__).resolve().parents[1]
TOP = {
    "assignments",
    "reference",
    "autograder",
    "hub",
    "images",
    "tests",
    "pyproject.toml",
    "README.md",
    "Makefile",
    "LICENSE",
    "CHANGELOG.md",
}


def tracked() -> list[Path]:
    """Every file that git knows."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listing.split("\0") if name]


def test_the_top_level_is_the_agreed_one():
    """Nothing but the agreed folders, files and dot-files."""
    names = {p.relative_to(ROOT).parts[0] for p in tracked()}
    assert {n for n in names if not n.startswith(".")} <= TOP


def test_no_file_grows_beyond_four_hundred_lines():
    """Look twice above 250."""
    long = {
        str(p): n
        for p in tracked()
        if p.suffix == ".py" and (n := len(p.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long


@pytest.mark.parametrize("lock", sorted((ROOT / "images/locks").glob("*.txt")), ids=lambda p: p.name)
def test_a_lock_holds_for_every_machine(lock):
    """One version of each package, and no folder of the machine that it was written on."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    pins = [line.split(";")[0].strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    assert pins and all(re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?={2,3}[\w.+!-]+", pin) for pin in pins), pins


def test_import_rules_hold():
    """The contracts in pyproject.toml."""
    done = subprocess.run(
        [sys.executable, "-m", "importlinter.cli", "lint"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(tool)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_engine_imports_without_jupyter_or_an_engine():
    """A fresh interpreter: neither a hub's package nor matplotlib is loaded by the front door."""
    code = """
import sys, autograder.api, autograder.cli
bad = {'traitlets', 'tornado', 'jupyterhub', 'nbgrader', 'nbformat', 'matplotlib.pyplot'} & set(sys.modules)
sys.exit(f'{bad}' if bad else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_guest_needs_only_the_standard_library_and_numpy():
    """It is copied into containers that hold nothing of ours."""
    source = (ROOT / "autograder" / "guest" / "shim.py").read_text(encoding="utf-8")
    names = {m[1].split(".")[0] for m in re.finditer(r"^\s*(?:import|from) (\S+)", source, re.MULTILINE)}
    assert names - {"numpy"} <= set(sys.stdlib_module_names)


def test_the_public_names_are_pinned():
    """Whoever changes the front door changes this list."""
    assert autograder.api.__all__ == [
        "CELLS_NOT_RUN",
        "SAMPLE_CLASS",
        "Assignment",
        "AutograderError",
        "Cluster",
        "CourseError",
        "Dispatcher",
        "Entry",
        "Fault",
        "Grade",
        "HandedIn",
        "Ledger",
        "LedgerError",
        "Node",
        "Options",
        "Pupil",
        "Purpose",
        "Quarantine",
        "Receipt",
        "Role",
        "Shown",
        "State",
        "Submission",
        "SubmissionError",
        "Term",
        "Verdict",
        "all_folders",
        "backup_ledger",
        "drawing",
        "exercise",
        "find",
        "load",
        "load_term",
        "main_file",
        "page",
        "project_folders",
        "quietly",
        "read_project_bytes",
        "receive",
        "receive_bytes",
        "release",
        "restore_ledger",
        "showcase_opens",
        "term_file",
        "unpack",
        "worker_environment",
        "write_gallery",
        "write_page",
    ]


@pytest.mark.parametrize(
    "path", [p for p in (ROOT / "autograder").rglob("*.py")], ids=lambda p: str(p.relative_to(ROOT))
)
def test_every_module_says_what_it_is_for(path):
    """A docstring at the head."""
    assert path.read_text(encoding="utf-8").startswith('"""')
