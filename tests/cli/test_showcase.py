"""From the example to a site, as a team and as staff type it."""

from __future__ import annotations

import json
import re

import pytest

from .test_commands import ROOT, autograder

COURSE = {"AUTOGRADER_COURSE_FOLDER": str(ROOT / "assignments")}


@pytest.fixture
def project(tmp_path):
    """A new one, small."""
    autograder(tmp_path, "showcase", "new", "spots", **COURSE)
    path = tmp_path / "spots/project.toml"
    text = re.sub(r"shape = \[\d+, \d+\]", "shape = [256, 256]", path.read_text(encoding="utf-8"))
    path.write_text(text.replace("speedup = 1.6", "speedup = 1000"), encoding="utf-8")
    return path


def test_a_project_is_begun_checked_and_not_begun_twice(tmp_path, project):
    """What the grader reads, in words."""
    said = autograder(tmp_path, "showcase", "check", "spots").stdout
    assert "named in public: Ada Example" in said and "fused-512" in said and "256×256" in said
    before = project.read_text(encoding="utf-8")
    assert "nothing was changed" in autograder(tmp_path, "showcase", "new", "spots", code=2, **COURSE).stderr
    assert project.read_text(encoding="utf-8") == before


def test_what_is_wrong_with_every_project_is_said_at_once(tmp_path, project):
    """Each with its file and key; nothing is run or written."""
    project.write_text(project.read_text(encoding="utf-8").replace("rtol = ", "rtoll = "), encoding="utf-8")
    found = autograder(tmp_path, "showcase", "verify", "spots", "nowhere", code=2)
    assert (
        "spots/project.toml: claims[0].rtoll: unknown key" in found.stderr and "nowhere cannot be read" in found.stderr
    )
    assert not (tmp_path / "results").exists()


def test_an_unknown_claim_is_named(tmp_path, project):
    """With those that there are."""
    found = autograder(tmp_path, "showcase", "verify", "spots", "--only", "speed", code=2)
    assert "there are fused-512, threads-1024" in found.stderr


def test_what_was_not_isolated_is_not_recorded(tmp_path, project):
    """A team may look; no file says that anything was verified."""
    found = autograder(
        tmp_path, "showcase", "verify", "spots", "--only", "fused-512", "--quick", "--sandbox", "subprocess"
    )
    assert "fused-512" in found.stdout and "measured" in found.stdout and not (tmp_path / "results").exists()
    assert "not isolated" in found.stderr


@pytest.mark.slow
@pytest.mark.docker
def test_from_claims_to_a_site(tmp_path, project, engine):
    """Measured in containers; the boast is not verified; results of another version are not shown."""
    said = autograder(tmp_path, "showcase", "verify", "spots", "--quick").stdout
    assert re.search(r"✗ slower +threads-1024 +claimed 1000×, measured [\d.]+×", said), said
    results = json.loads((tmp_path / "results/spots.json").read_text(encoding="utf-8"))
    assert [c["claim"] for c in results["claims"]] == ["fused-512", "threads-1024"] and results["machine"]["processor"]
    built = autograder(tmp_path, "showcase", "build", "spots")
    assert built.stdout.split() == ["showcase/index.html", "showcase/spots.html"] and not built.stderr
    assert "✗ slower" in (tmp_path / "showcase/spots.html").read_text(encoding="utf-8")
    partial = results | {"claims": results["claims"][:1]}
    (tmp_path / "results/spots.json").write_text(json.dumps(partial), encoding="utf-8")
    assert "not of every claim" in autograder(tmp_path, "showcase", "build", "spots").stderr
    project.write_text(project.read_text(encoding="utf-8").replace("1000", "1.5"), encoding="utf-8")
    assert (
        "spots.json is not of every claim of this version" in autograder(tmp_path, "showcase", "build", "spots").stderr
    )
    assert "were not measured" in (tmp_path / "showcase/spots.html").read_text(encoding="utf-8")
    (tmp_path / "results/spots.json").write_text('{"sha256": 3}', encoding="utf-8")
    autograder(tmp_path, "showcase", "build", "spots", code=0)
    (tmp_path / "results/spots.json").write_text("[]", encoding="utf-8")
    assert "was not written by" in autograder(tmp_path, "showcase", "build", "spots", code=2).stderr
