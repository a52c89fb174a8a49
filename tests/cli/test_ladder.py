"""The ladder: real peaks, a real duel, a table that somebody can read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from autograder.cli import EXIT_OURS, cli
from autograder.cli import ladder as command
from autograder.cli.ladder import LADDER, Ladder
from autograder.course.load import load
from autograder.domain.assignment import Assignment, Kind
from autograder.domain.grade import CriterionResult
from autograder.domain.measurement import Control, Decision, DuelOutcome, Round
from autograder.domain.verdict import Verdict, sentence
from autograder.engine.peaks import Peaks
from autograder.measure.statistics import median
from tests.bench.gpu_ladder import MARKS, measured

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "reference" / "README.md"
KEPT = "| z99_other, speed | kernel (other.py) | 2 | 20 ms | 1× | 50.0% | 2026-11-27 10:31 |"
LIMITS = "- 2026-11-27 10:31: Z80; 1 core: 1.0 Gflop/s, copy 1.0 GB/s; 2 cores: 2.0 Gflop/s, copy 2.0 GB/s."
HEAD = """| assignment, criterion | rung | cores | a call | against the slowest | of the roofline | measured |
| --- | --- | ---: | ---: | ---: | ---: | --- |"""
OLD = """| a03_bifurcation_parallel, speed-threads | solution gone.py | 2 | 20 ms | 1× | 50.0% | 2026-11-27 10:31 |
| a03_bifurcation_parallel, speed-threads | solution shared_mapping.py | 2 | 10 ms | 2× | 99.0% | 2026-11-27 10:31 |
| a03_bifurcation_parallel, speed-procs | solution shared_mapping.py | 2 | 30 ms | 1× | 33.0% | 2026-11-27 10:31 |"""
OLD_TEMPLATE = "| _template, speed | old | 1 | 20 ms | 1× | 50.0% | 2026-11-27 10:31 |"
PEAKS = Peaks(1, flops=1e12, bytes=1e11)


def _page(folder: Path, *rows: str, limits: str = LIMITS) -> Path:
    page = folder / "README.md"
    table = "\n".join([limits, "", HEAD, *rows])
    page.write_text(f"before\n<!-- {LADDER.begin} -->\n\n{table}\n<!-- {LADDER.end} -->\nafter\n")
    return page


def _duel(reference_s: float, submission_s: float, speedup: float) -> DuelOutcome:
    """Three rounds of which one was slow for both; the others agree with each other."""
    rounds = tuple(Round(t * reference_s, t * submission_s, speedup, 0, False) for t in (1.0, 1.0, 3.0))
    seconds = (median([r.reference_s for r in rounds]), median([r.submission_s for r in rounds]))
    return DuelOutcome("f", speedup, (0.0, 9.0), 0.995, rounds, (), *seconds, 0.0, 0.0, 0.0)


class Judge:
    """A node that says of each program what it was told to."""

    def __init__(self, said) -> None:
        self.options, self.said, self.asked = SimpleNamespace(references=None), said, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def grade(self, assignment, submission, only):
        self.asked.append((only, submission.name))
        verdict, duel = self.said(only, submission.name)
        ours = verdict in (Verdict.INCONCLUSIVE, Verdict.GRADER_FAILED)
        result = CriterionResult(only, only, 0.0, 1.0, verdict, sentence(verdict), True, duel=duel)
        return SimpleNamespace(ours=ours, criteria=(result,))


@pytest.fixture
def judged(monkeypatch):
    """The command, with such a node."""
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(command, "measure", lambda node, cores: replace(PEAKS, cores=len(cores)))

    def run(said, *arguments):
        judge = Judge(said)
        monkeypatch.setattr(command, "Node", lambda options: judge)
        return CliRunner().invoke(cli, ["course", "ladder", *map(str, arguments)]), judge

    return run


def test_the_longer_of_two_limits_counts():
    """A call that moves much is judged by bandwidth, one that computes much by arithmetic."""
    peaks = Peaks(1, flops=1e9, bytes=1e8)
    assert peaks.share(1e9, 1.0, 2.0) == pytest.approx(0.5)
    assert peaks.share(1.0, 1e8, 4.0) == pytest.approx(0.25)


def test_a_file_without_the_marks_is_not_touched(tmp_path):
    """It may be somebody's own."""
    mine = tmp_path / "README.md"
    mine.write_text("mine")
    found = CliRunner().invoke(cli, ["course", "ladder", "--output", str(mine)])
    assert found.exit_code != 0 and mine.read_text() == "mine"


def test_a_run_that_is_interrupted_takes_no_other_rows(tmp_path, judged):
    """The first criterion is new; what was not measured anew is as it was, each under the limits of its own run."""
    page = _page(tmp_path, OLD, KEPT)

    def said(criterion, name):
        if criterion == "speed-procs":
            raise KeyboardInterrupt
        return Verdict.PASSED, _duel(0.02, 0.04, 0.5)

    found, _ = judged(said, "a03_bifurcation_parallel", "--output", page)
    assert found.exit_code != 0
    text, rows = page.read_text(), [line for line in page.read_text().splitlines() if line.startswith("| a03")]
    assert KEPT in text and LIMITS in text and text.count("1000.0 Gflop/s") == 2  # for one core and two, in one line
    assert "gone.py" not in text and "| 10 ms |" not in text
    assert [row.split(", ")[1].split(" | ")[0] for row in rows] == ["speed-threads"] * 5 + ["speed-procs"]
    assert rows[-1] == OLD.splitlines()[-1]


def test_a_rung_that_could_not_be_measured_is_named_and_its_row_stays(tmp_path, judged):
    """Three times undecided: neither a silent gap nor a row that is lost, and make hears of it."""
    page = _page(tmp_path, OLD, KEPT)

    def said(criterion, name):
        undecided = name == "shared_mapping.py"
        return Verdict.INCONCLUSIVE if undecided else Verdict.TOO_SLOW, _duel(0.02, 0.04, 0.5)

    found, judge = judged(said, "a03_bifurcation_parallel", "--output", page)
    assert found.exit_code == EXIT_OURS and judge.asked.count(("speed-procs", "shared_mapping.py")) == 3
    assert "no rung: a03_bifurcation_parallel, speed-procs, solution shared_mapping.py: inconclusive" in found.output
    text = page.read_text()
    assert all((row in text) == ("shared_mapping" in row) for row in OLD.splitlines())
    assert text.count("solution pthreads_and_pipes.py") == 2


def test_without_any_duel_all_rows_of_a_criterion_stay(tmp_path, judged):
    """A program that is wrong has no rung either."""
    page = _page(tmp_path, OLD)
    before = page.read_text()
    found, _ = judged(lambda *_: (Verdict.WRONG_ANSWER, None), "a03_bifurcation_parallel", "--output", page)
    assert found.exit_code == EXIT_OURS and "wrong-answer" in found.output and page.read_text() == before


def test_a_call_s_time_is_no_gain_in_variance(tmp_path, judged):
    """Half as fast at a fiftieth of the variance: twenty-five times the gain, twice the time, half the roofline."""
    page = _page(tmp_path)

    def said(criterion, name):
        return Verdict.PASSED, _duel(0.02, 0.04, 25.0) if "numpy_control" in name else _duel(0.02, 0.02, 1.0)

    found, _ = judged(said, "a16_asian_option", "--output", page)
    assert found.exit_code == 0, found.output
    rows = {row[1]: row for row in Ladder.read(page).rows}
    controlled, kernel = rows["solution numpy_control_variate.py"], rows["kernel (asian_c.py)"]
    assert controlled[3:5] == ("40 ms", "25×") and kernel[3:5] == ("20 ms", "1×")
    assert float(controlled[5][:-1]) == pytest.approx(float(kernel[5][:-1]) / 2, abs=0.1)


def test_rows_of_a_run_whose_limits_nobody_knows_are_not_written_again(tmp_path, monkeypatch):
    """Shares of the roofline mean nothing without them."""
    monkeypatch.chdir(REPOSITORY)
    page = _page(tmp_path, KEPT.replace("10:31", "11:11"))
    before = page.read_text()
    found = CliRunner().invoke(cli, ["course", "ladder", "_template", "--output", str(page)])
    assert "limits of this row's run" in str(found.exception) and page.read_text() == before


def _rungs(assignment: Assignment) -> set[str]:
    solutions = {f"solution {p.name}" for p in (assignment.folder / "solutions").glob("*.py")}
    return {f"baseline ({assignment.baseline}.py)", f"kernel ({assignment.kernel}.py)"} | solutions


def test_the_committed_ladder_s_rungs_are_files_and_what_is_not_measured_is_named():
    """A row of a program that is gone, or a program without a row of which nobody is told, makes the table a lie."""
    rows = Ladder.read(README).rows
    course = {a.slug: a for a in map(load, sorted((REPOSITORY / "assignments").glob("a*"))) if not a.project}
    timed = {f"{a.slug}, {c.id}": a for a in course.values() for c in a.criteria if c.kind.timed}
    assert {row[0] for row in rows} <= set(timed)
    assert [row for row in rows if row[1] not in _rungs(timed[row[0]])] == []
    missing = set()
    for where, assignment in timed.items():
        if assignment.kind is not Kind.GPU:  # those are in the device's table, and here where there is one
            left = _rungs(assignment) - {row[1] for row in rows if row[0] == where}
            whole = left == _rungs(assignment)
            missing |= {assignment.slug} if whole else {f"{assignment.slug}: {rung}" for rung in left}
    line = next(line for line in README.read_text().splitlines() if line.startswith("Not measured yet: "))
    assert set(re.findall("`([^`]+)`", line)) == missing


def test_the_committed_device_ladder_holds_what_its_script_can_measure():
    """Baselines, solutions, kernels and libraries; notes stand outside the marks, where the next run leaves them."""
    table = [line for line in MARKS.read(README).splitlines() if line.startswith("| ")]
    rows = [line.strip("| ").split(" | ") for line in table[2:]]
    assert len(rows) >= 3 * 3
    for where, name, *_ in rows:
        assignment = load(REPOSITORY / "assignments" / where.partition(",")[0])
        solutions = {f"solution {p.stem}" for p in (assignment.folder / "solutions").glob("*.py")}
        ours = {f"baseline {assignment.baseline}", f"**kernel {assignment.kernel}**"} | solutions
        assert name in ours or name.startswith("library "), (where, name)


def test_a_rung_that_won_beside_a_known_program_has_the_time_of_those_rounds(tmp_path, judged):
    """Its speedup is theirs, too: what was slow at first and is left behind has no part in either."""
    page = _page(tmp_path)
    again = tuple(Round(0.02, 0.02, 1.0, 0, False, control=1.0) for _ in range(3))
    won = Control((0.9,), (Decision.PASS,), 1.0, 1.0, again, after=(3,))
    slow = _duel(0.02, 0.06, 1.0)
    found, _ = judged(lambda *_: (Verdict.PASSED, replace(slow, control=won)), "_template", "--output", page)
    assert found.exit_code == 0, found.output
    assert {row[3] for row in Ladder.read(page).rows} == {"20 ms"}


def test_without_its_baseline_no_program_is_compared_with_it():
    """Nor with whatever was slowest instead; and what has no rung at all says so."""
    lines = list(measured("a99", {"solution b": 1.0, "baseline a": 4.0}, "baseline a", (1e9, 1e9), (2e9, 4e9)))
    assert lines == [
        "| a99 | baseline a | 4000.000 ms | 1.0× | 12% | 6% |",
        "| a99 | solution b | 1000.000 ms | 4.0× | 50% | 25% |",
    ]
    (alone,) = measured("a99", {"solution b": 1.0}, "baseline a", (1e9, 1e9), (2e9, 4e9))
    assert alone == "| a99 | solution b | 1000.000 ms | – | 50% | 25% |"
    assert list(measured("a99", {}, "baseline a", (1e9, 1e9), (2e9, 4e9))) == [
        "| a99 | none could be measured | – | – | – | – |"
    ]


@pytest.mark.docker
@pytest.mark.slow
def test_the_template_s_ladder(node, tmp_path, monkeypatch):
    """Baseline, solutions and kernel, slowest first, none beyond the limits of the machine."""
    monkeypatch.chdir(REPOSITORY)
    page = _page(tmp_path, OLD_TEMPLATE, KEPT)
    found = CliRunner().invoke(cli, ["course", "ladder", "_template", "--output", str(page)])
    assert found.exit_code == 0, found.output
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "| old |" not in text
    assert KEPT in text and LIMITS in text
    rows = re.findall(
        r"\| _template, speed \| (.+?) \| 1 \| ([\d.]+) ms \| ([\d.]+)× \| ([\d.]+)% \| [\d-]{10} [\d:]{5} \|", text
    )
    assert rows[0][0].startswith("baseline") and any(name.startswith("kernel") for name, *_ in rows)
    assert len(rows) == 2 + len(list((REPOSITORY / "assignments/_template/solutions").glob("*.py")))
    times = [float(ms) for _, ms, *_ in rows]
    assert times == sorted(times, reverse=True) and float(rows[0][2]) == 1
    assert all(0 < float(share) < 110 for *_, share in rows)
