"""A real Slurm on this machine: munged, slurmctld and two slurmd, all ended afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.crash.world import free_port, until

_CONF = """\
ClusterName=test
SlurmctldHost={host}
SlurmctldPort={control}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/ctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/ctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
MpiDefault=none
ReturnToService=2
SchedulerParameters=batch_sched_delay=0
NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{second}] CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Two nodes of two CPUs; `sbatch` on PATH speaks to them."""
    missing = [
        p
        for p in ("slurmctld", "slurmd", "munged", "mungekey")
        if shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin") is None
    ]
    if missing or os.getuid() != 0:
        pytest.skip(f"needs root and Debian's slurm-wlm and munge; missing: {', '.join(missing) or 'root'}")
    folder = Path(tempfile.mkdtemp(prefix="ag-slurm-"))
    folder.chmod(0o755)
    (folder / "state").mkdir()
    host, first = socket.gethostname(), free_port()
    text = _CONF.format(host=host, folder=folder, control=free_port(), first=first, second=first + 1)
    (folder / "slurm.conf").write_text(text)
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": os.environ["PATH"] + ":/usr/sbin"}
    subprocess.run(["mungekey", "-c", "-k", str(folder / "key")], check=True, env=environment)
    processes = []

    def start(*command):
        with (folder / "out.log").open("ab") as log:
            processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True))

    start("munged", "-F", "--force", f"--socket={folder}/munge.socket", f"--key-file={folder}/key", f"--pid-file={folder}/munge.pid",
          f"--seed-file={folder}/seed", f"--log-file={folder}/munge.log")  # fmt: skip
    until((folder / "munge.socket").exists, 20, "munged")
    start("slurmctld", "-D", "-i")
    for name in ("n1", "n2"):
        start("slurmd", "-D", "-N", name)

    def idle():
        found = subprocess.run(["sinfo", "-h", "-o", "%T %D"], env=environment, capture_output=True, text=True)
        return found.stdout.strip() == "idle 2"

    for key in ("SLURM_CONF", "PATH"):
        monkeypatch.setenv(key, environment[key])
    try:
        until(idle, 60, f"two idle nodes ({folder})")
        yield folder
    finally:
        subprocess.run(["scancel", "-u", "root"], env=environment, check=False, capture_output=True)
        for process in reversed(processes):
            process.terminate()
        for process in reversed(processes):
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)
