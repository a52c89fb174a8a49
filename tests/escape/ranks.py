"""Where attacks on distributed grading are fought: the real judge with a world of ranks, and graders that trust a rank.

As in `arena`, every attack fails against the real thing and succeeds where the rule that stops it is left out.
"""

from __future__ import annotations

import io
import tarfile
import textwrap
from dataclasses import dataclass

import numpy as np

from autograder.api import Assignment, Grade, Node
from autograder.domain.execution import CallOutcome, Program
from autograder.judge.proxy import Actor
from autograder.measure.room import Room
from autograder.sandbox.container import ContainerSandbox
from autograder.sandbox.profile import Profile
from autograder.sandbox.state import state_folder
from tests.conftest import FIXTURES

from .arena import failed, submission

HONEST = (FIXTURES / "reference" / "world.py").read_text(encoding="utf-8")

_COMMON = """
import os, sys, time
sys.path.insert(0, "/work")
import numpy as np
from mpi4py import MPI
comm = MPI.COMM_WORLD
rng = np.random.default_rng(int.from_bytes(os.urandom(4), "big") if comm.size == 1 else 5)
blocks = [rng.random(3 + r) for r in range(comm.size)]
x, expected = blocks[comm.rank], float(np.concatenate(blocks).sum())
"""

# name → script of every rank, and the shell line that decides
HARNESS = {
    # the launcher's exit code is the verdict
    "exit-code": (
        "import solution\nassert abs(solution.total(comm, x) - expected) < 1e-9\n",
        "mpiexec -n 3 python /work/harness.py && echo ACCEPTED",
    ),
    # ranks report to rank 0 over the communicator that the student's code has, too
    "ranks-report": (
        """import solution
mine = solution.total(comm, x)
comm.send((comm.rank, mine), 0, tag=99)
if comm.rank == 0:
    found = dict(comm.recv(tag=99) for _ in range(comm.size))
    if sorted(found) == list(range(comm.size)) and all(abs(v - expected) < 1e-9 for v in found.values()):
        open("/work/accepted", "w").write("ACCEPTED")
    comm.Abort(0)  # the others would wait for this rank
""",
        "mpiexec -n 2 python /work/harness.py; cat /work/accepted",
    ),
    # rank 0 has the clock; what the others do after it has returned is not looked at until the end
    "clock-on-rank-0": (
        """import solution
block = rng.random(400)
comm.Barrier()
begun = time.perf_counter()
y, left = solution.ring(comm, block.copy(), 20_000)
took = time.perf_counter() - begun
z = block.copy()
for _ in range(20_000):
    z = np.sin(z) + block
good = all(comm.allgather(bool(np.allclose(y, z) and left == (comm.rank - 1) % comm.size)))
again = time.perf_counter()
for _ in range(20_000):
    z = np.sin(z) + block
alone = time.perf_counter() - again
if comm.rank == 0 and good and took < 0.6 * alone:
    print("ACCEPTED", flush=True)
""",
        "mpiexec -n 2 python /work/harness.py",
    ),
}


@dataclass
class Ranks:
    """Built by the fixture `ranks`."""

    node: Node
    assignment: Assignment
    engine: ContainerSandbox
    image: str

    def grade(self, source: str, only: str = "") -> Grade:
        """The real judge's verdict; a noisy machine is asked again."""
        made = submission(source)
        for _ in range(4):
            grade = self.node.grade(self.assignment, made, only=only)
            if not grade.ours or failed(grade):
                return grade
        return grade

    def fails(self, source: str, *verdicts: str, only: str) -> Grade:
        """The attack earns nothing for that criterion, by one of these verdicts, and the judge is fit for the next."""
        grade = self.grade(source, only)
        found = grade.criteria[0]
        assert found.points == 0, found
        assert found.verdict in verdicts, (found.verdict, found.evidence)
        after = self.grade(HONEST, "sum")
        assert after.criteria[0].verdict == "passed", after.criteria[0]
        return grade

    def fools(self, source: str, weakness: str) -> None:
        """A grader with that weakness accepts the attack, and does not accept just anything."""
        assert self._accepts(source, weakness), f"{weakness}: the attack does not bite"
        wrong = HONEST + "\ndef total(comm, x): return 0.5\ndef ring(comm, x, m): return x, 0\n"
        assert not self._accepts(wrong, weakness), f"{weakness}: accepts anything"

    def probe(
        self, source: str, *weakened: str, ranks: int = 2, cores: tuple[int, ...] = (0,), memory_mb: int = 256
    ) -> CallOutcome:
        """Calls `total` once in a world of the real profile, or of one with rules left out."""
        profile = Profile(self.image, cores, memory_mb, 64, 16, ("numpy",), ranks, weakened=frozenset(weakened))
        room = Room(state_folder())
        actor = Actor(self.engine.start(profile, "probe"), self.assignment, room)
        try:
            finding = actor.load(Program(submission(source).files))
            assert finding is None, finding
            return actor.call(self.assignment.function("total"), (ranks, [np.ones(4)] * ranks))
        finally:
            actor.close()
            actor.guest.remove()
            room.close()

    def _accepts(self, source: str, weakness: str) -> bool:
        script, shell = HARNESS[weakness]
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, text in (("solution.py", textwrap.dedent(source)), ("harness.py", _COMMON + script)):
                info = tarfile.TarInfo(name)
                info.size = len(text.encode())
                tar.addfile(info, io.BytesIO(text.encode()))
        container = self.engine.client.containers.create(
            self.image,
            ["/bin/sh", "-c", f"export PATH=/opt/venv/bin:$PATH; timeout -k 1 60 sh -c '{shell}'"],
            entrypoint=[],
            environment={"MPIR_CVAR_CH4_CMA_ENABLE": "0"},
            network_mode="none",
            working_dir="/work",
            mem_limit="1g",
            pids_limit=64,
        )
        try:
            container.put_archive("/work", packed.getvalue())
            container.start()
            container.wait(timeout=90)
            return "ACCEPTED" in container.logs(stdout=True, stderr=False).decode(errors="replace")
        finally:
            container.remove(force=True)
