"""Where tasks run: this machine, a running Dask scheduler, or nodes hired from a batch system."""

from __future__ import annotations

import ipaddress
import logging
import os
import pickle
import re
from dataclasses import replace
from importlib import import_module
from typing import Any

import dask
from distributed import Client, LocalCluster
from distributed.comm.addressing import parse_address, parse_host_port

from autograder.engine.options import Options
from autograder.engine.task import NodePlugin
from autograder.errors import MachineError
from autograder.sandbox.state import state_folder

log = logging.getLogger("autograder.cluster")
_SETTINGS = {
    "distributed.worker.daemon": False,  # a worker has children: judges, the reaper
    "distributed.scheduler.allowed-failures": 1,  # a submission that kills its worker twice goes back to the ledger
    "distributed.worker.memory.target": False,  # the worker's own memory is small; guests have limits of their own
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.admin.system-monitor.interval": "5s",  # fewer wake-ups beside a duel
    "distributed.admin.tick.interval": "1s",  # the default, 20 ms, is a hundred wake-ups a second in four event loops
    "distributed.admin.tick.limit": "30s",
    "distributed.worker.profile.enabled": False,
}
INSECURE = "AUTOGRADER_SCHEDULER_INSECURE"
_CERTIFICATES = (
    "with tls:// every part needs certificates: DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__TLS__CLIENT__CERT and "
    "…__TLS__CLIENT__KEY here, …__SCHEDULER__… and …__WORKER__… there"
)


class Cluster:
    """A client, and the workers that were started for it.

    Args:
        scheduler: empty for this machine; `tls://…` for a running scheduler; `slurm:N` or `pbs:N` to hire N nodes through
            dask-jobqueue, whose own configuration file says what a node is; `slurm:N:gpu=G` for G GPUs on each (with PBS, its
            `resource-spec` must ask for them, too).
        options: how nodes grade; None leaves workers bare (for simulations).
        cores: of this machine; 0 takes all.
    """

    def __init__(self, scheduler: str = "", options: Options | None = None, cores: int = 0) -> None:
        dask.config.set(_SETTINGS)
        os.environ.update(worker_environment())
        self._options, self._scheduler = options, scheduler
        self._workers = self._hire(scheduler, cores or len(os.sched_getaffinity(0)))
        try:
            self.client = self._connect()
        except BaseException:
            if self._workers is not None:
                self._workers.close(timeout=30)
            raise

    def _hire(self, scheduler: str, cores: int) -> Any:
        if not scheduler:
            gpus = len(self._options.gpus) if self._options is not None else 0
            resources = {"cores": cores} | ({"gpu": gpus} if gpus else {})
            return LocalCluster(
                n_workers=1, threads_per_worker=cores, processes=True, resources=resources, host="127.0.0.1",
                security=True,  # certificates for this run: whoever else is on this machine cannot hand us tasks
                dashboard_address="127.0.0.1:0", worker_dashboard_address="127.0.0.1:0",
                local_directory=str(state_folder() / "dask"),
            )  # fmt: skip
        kind, _, wanted = scheduler.partition(":")
        if kind not in ("slurm", "pbs"):
            refuse_open(scheduler)
            return None
        count, gpus = _wanted(scheduler, wanted)
        try:
            jobqueue = import_module("dask_jobqueue")  # an extra
        except ImportError as error:
            raise MachineError("hiring nodes needs dask-jobqueue: pip install 'autograder[cluster]'") from error
        per = int(dask.config.get(f"jobqueue.{kind}.cores", None) or cores)
        directives = list(dask.config.get(f"jobqueue.{kind}.job-extra-directives", None) or [])
        directives += [f"--gres=gpu:{gpus}"] if gpus and kind == "slurm" else []
        hired = {"slurm": jobqueue.SLURMCluster, "pbs": jobqueue.PBSCluster}[kind](
            cores=per, processes=1, job_extra_directives=directives,
            worker_extra_args=["--resources", f"cores={per}" + (f" gpu={gpus}" if gpus else "")],
        )  # fmt: skip
        hired.scale(jobs=count)
        return hired

    def _connect(self) -> Client:
        try:
            client = Client(self._workers if self._workers is not None else self._scheduler, timeout=10)
        except (OSError, TimeoutError) as error:
            raise MachineError(f"no Dask scheduler answers at {self._scheduler}: {error}{self._tls()}") from error
        except (
            TypeError,
            ValueError,
        ) as error:  # Dask's word for certificates that it was not told, or an unknown scheme
            raise MachineError(f"AUTOGRADER_SCHEDULER={self._scheduler}: {error}{self._tls()}") from error
        try:
            if self._options is not None:
                self._equip(client, self._options)
        except BaseException:
            client.close(timeout=1)  # whoever tries again makes another one
            raise
        return client

    def _tls(self) -> str:
        return f" ({_CERTIFICATES})" if self._scheduler.startswith("tls://") else ""

    def _equip(self, client: Client, options: Options) -> None:
        """Gives every worker a node, unless another service has done so.

        Raises:
            MachineError: the scheduler went, or this machine's own worker cannot grade.
        """
        plugin = NodePlugin(replace(options, gpus=()))  # each node lends what its own machine has
        try:
            client.register_plugin(plugin)
        except Exception as error:  # of one worker; all have been asked, and those that cannot grade lend nothing
            if not self._scheduler or client.status != "running":
                raise MachineError(f"no node could be set up: {error}") from error
            log.warning("a node cannot grade, and gets nothing: %s", error)
        known = pickle.loads(client.run_on_scheduler(_registered))  # noqa: S301  # the scheduler runs our code as it is
        if known.options != plugin.options:
            log.warning("the nodes grade with other options than this service's; restart the scheduler to change them")

    def alive(self) -> bool:
        """Whether the scheduler is there."""
        return str(self.client.status) == "running"

    def reconnect(self) -> bool:
        """Finds a scheduler that came back; False while it is gone."""
        try:
            self.client.close(timeout=1)
            self.client = self._connect()
        except (MachineError, OSError, TimeoutError):
            return False
        return True

    def nodes(self) -> list[dict[str, Any]]:
        """Every worker: name, address, cores, GPUs, tasks, seconds since it was last heard of."""
        found = self.client.scheduler_info(n_workers=-1)["workers"]  # some versions name five unless asked
        return [
            {
                "name": str(w["name"]),
                "address": address,
                "host": w.get("host", ""),
                "cores": int(w.get("resources", {}).get("cores", 0)),
                "gpu": int(w.get("resources", {}).get("gpu", 0)),
                "last_seen": float(w.get("last_seen", 0.0)),
            }
            for address, w in found.items()
            if w.get("resources", {}).get("cores")  # none where the machine cannot grade
        ]

    def close(self) -> None:
        """Lets the workers go; those of another scheduler stay."""
        self.client.close(timeout=5)
        if self._workers is not None:
            self._workers.close(timeout=30)


def refuse_open(scheduler: str) -> None:
    """Whoever reaches a Dask scheduler without TLS has its nodes run any code, and forges grades.

    Raises:
        MachineError: others than this machine could, and nobody said that they may.
    """
    try:
        protocol, where = parse_address(scheduler)
        host = parse_host_port(where, 0)[0].partition("%")[0]
    except ValueError as error:
        raise MachineError(f"{scheduler} is no scheduler: write tls://host:port ({error})") from error
    if protocol in ("tls", "wss", "inproc") or os.environ.get(INSECURE) == "1":
        return
    try:
        here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = False
    if not here:
        raise MachineError(
            f"{scheduler} asks nobody who they are: whoever reaches it runs code on the nodes and writes grades. Give the "
            f"scheduler certificates and write tls://…; {INSECURE}=1 if nobody else is on that network"
        )


def _registered(dask_scheduler: Any) -> bytes:
    """Runs on the scheduler: what it gives every worker that joins."""
    return bytes(dask_scheduler.worker_plugins[NodePlugin.name])


def _wanted(scheduler: str, words: str) -> tuple[int, int]:
    """Nodes, and GPUs on each, of `N` or `N:gpu=G`.

    Raises:
        MachineError: with an example.
    """
    match = re.fullmatch(r"(\d*)(?::gpu=(\d+))?", words)
    if match is None:
        raise MachineError(f"{scheduler}: write slurm:4, or slurm:4:gpu=1 for nodes with a GPU")
    return int(match[1] or 1), int(match[2] or 0)


def worker_environment() -> dict[str, str]:
    """The settings as Dask reads them from a worker's environment."""
    return {f"DASK_{k.upper().replace('.', '__').replace('-', '_')}": str(v) for k, v in _SETTINGS.items()}
