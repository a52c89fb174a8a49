"""Nodes hired from a real Slurm through dask-jobqueue."""

from __future__ import annotations

import sys

import dask
import pytest

from autograder.domain.record import State
from autograder.engine.cluster import Cluster
from autograder.engine.dispatch import Dispatcher
from autograder.errors import MachineError
from autograder.ledger.store import Ledger
from tests.cluster.work import told
from tests.conftest import FIXTURES, REPOSITORY
from tests.crash.world import until


@pytest.mark.filterwarnings("ignore")  # dask-jobqueue's own
def test_gradings_run_on_nodes_hired_from_slurm(slurm, tmp_path, monkeypatch):
    """Two jobs are submitted, two nodes join, eight submissions are graded on both."""
    monkeypatch.chdir(FIXTURES)
    settings = {"cores": 2, "processes": 1, "memory": "1GB", "interface": "lo", "python": sys.executable, "shebang": "#!/bin/bash",
                "job-directives-skip": ["--mem"], "local-directory": str(tmp_path), "log-directory": str(tmp_path),
                "job-script-prologue": [f"export PYTHONPATH={REPOSITORY}"], "walltime": "00:10:00"}  # fmt: skip
    ledger = Ledger.open("", tmp_path / "state")
    with dask.config.set({f"jobqueue.slurm.{k}": v for k, v in settings.items()}):
        with Dispatcher(ledger, Cluster("slurm:2"), task=told) as dispatcher:
            until(lambda: len(dispatcher.nodes()) == 2, 90, "two nodes")
            for i in range(8):
                ledger.submit(
                    course="c",
                    assignment="t_basic",
                    student=f"s{i}",
                    name="s.py",
                    content=f"# {i}".encode(),
                    channel="api",
                )
            dispatcher.wake()
            until(lambda: ledger.counts()[State.GRADED] == 8, 60, "eight grades")
        jobs = {ledger.grade_json(e.id)["machine"]["slurm_job"] for e in ledger.entries("c")}
    assert len(jobs) == 2, jobs
    ledger.close()


@pytest.mark.filterwarnings("ignore")  # dask-jobqueue's own
def test_what_a_job_asks_for():
    """The script that Slurm would be given: cores, GPUs, and what the worker says of itself. No job is submitted."""
    settings = {"cores": 2, "memory": "1GB", "interface": "lo", "job-extra-directives": ["--exclusive"]}
    with dask.config.set({f"jobqueue.slurm.{k}": v for k, v in settings.items()}):
        for name, asks, says in (("slurm:0:gpu=2", True, "gpu=2"), ("slurm:0", False, "cores=2")):
            cluster = Cluster(name)
            try:
                script = cluster._workers.job_script()
            finally:
                cluster.close()
            assert ("#SBATCH --gres=gpu:2" in script) is asks and "#SBATCH --exclusive" in script and says in script
    with pytest.raises(MachineError, match="slurm:4:gpu=1"):
        Cluster("slurm:2:gpus")
