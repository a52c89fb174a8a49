"""Services and nodes on one Dask scheduler, with nodes that are none."""

from __future__ import annotations

import dask
import pytest
from click.testing import CliRunner
from distributed import Client, LocalCluster
from distributed.security import Security

from autograder.cli.node import join
from autograder.engine import task
from autograder.engine.cluster import Cluster
from autograder.engine.options import Options
from autograder.errors import MachineError
from tests.crash.world import until

from .test_gpu_queue import grid

__all__ = ["grid"]


@pytest.fixture
def made(monkeypatch):
    """Nodes that workers made; as many as `broken` says have no engine."""

    class Stage:
        nodes: list[str] = []  # noqa: RUF012  # one test's
        broken = 0

    class FakeNode:
        def __init__(self, _options):
            if Stage.broken:
                Stage.broken -= 1
                raise MachineError("no container engine answers")
            Stage.nodes.append("open")

        def close(self):
            Stage.nodes.append("closed")

    monkeypatch.setattr(task, "Node", FakeNode)
    return Stage


def test_a_second_service_leaves_nodes_alone_that_grade_for_the_first(grid, made, caplog):
    """One that comes back, too; other options are said aloud."""
    _, _, join, _, scheduler = grid
    join("n1")
    first = Cluster(scheduler, Options(pairs=1))
    second = Cluster(scheduler, Options(pairs=1))
    assert first.reconnect() and made.nodes == ["open"] and "other options" not in caplog.text
    third = Cluster(scheduler, Options(pairs=2))
    assert made.nodes == ["open"] and "other options" in caplog.text
    for cluster in (first, second, third):
        cluster.close()


def test_a_node_that_cannot_grade_lends_nothing_and_stops_no_other(grid, made, caplog):
    """One that is there, and one that joins later."""
    _, _, join, _, scheduler = grid
    join("n1")
    join("n2")
    made.broken = 1
    cluster = Cluster(scheduler, Options())
    assert "no container engine answers" in caplog.text
    until(lambda: len(cluster.nodes()) == 1, 10, "one lends")
    made.broken = 1
    join("n3", gpu=1)
    until(lambda: len(cluster.client.scheduler_info()["workers"]) == 3, 10, "it joined")
    until(lambda: len(cluster.nodes()) == 1, 10, "it lends nothing")
    join("n4")
    until(lambda: len(cluster.nodes()) == 2, 10, "the next one does")
    cluster.close()


def test_a_connection_that_fails_halfway_is_closed(grid, made, monkeypatch):
    """Whoever tries again every second leaves no client behind."""
    _, _, join, _, scheduler = grid
    join("n1")
    clients = []

    def lose(client, _function):
        clients.append(client)
        raise TimeoutError("the scheduler went")

    monkeypatch.setattr(Client, "run_on_scheduler", lose)
    with pytest.raises(TimeoutError):
        Cluster(scheduler, Options())
    assert [c.status for c in clients] == ["closed"]


@pytest.mark.parametrize("scheduler", ["tcp://192.0.2.1:8786", "192.0.2.1:8786", "tcp://localhost.example.org:1"])
def test_a_scheduler_that_everybody_reaches_is_refused(scheduler, monkeypatch):
    """Whoever gives it tasks runs code on the nodes; a node does not join it either, unless somebody says that it may."""
    asked = []
    monkeypatch.setattr("autograder.engine.cluster.Client", lambda where, **_: asked.append(where))
    with pytest.raises(MachineError, match="tls://"):
        Cluster(scheduler)
    assert "tls://" in str(CliRunner().invoke(join, [scheduler, "--unfit"]).exception)
    monkeypatch.setenv("AUTOGRADER_SCHEDULER_INSECURE", "1")
    Cluster(scheduler)
    assert asked == [scheduler]


def test_tls_without_certificates_says_what_is_missing():
    """Dask raises a TypeError about an `ssl_context`."""
    with pytest.raises(MachineError, match="CA_FILE"):
        Cluster("tls://127.0.0.1:1")


def test_certificates_of_another_authority_are_no_riddle(tmp_path, monkeypatch):
    """The connection ends, and the sentence says why it may."""
    theirs, ours = Security.temporary(), Security.temporary()
    for name in ("tls_ca_file", "tls_client_cert", "tls_client_key"):
        (tmp_path / name).write_text(getattr(ours, name))
    told = {
        "ca-file": str(tmp_path / "tls_ca_file"),
        "client": {"cert": str(tmp_path / "tls_client_cert"), "key": str(tmp_path / "tls_client_key")},
    }
    monkeypatch.setitem(dask.config.get("distributed.comm"), "tls", dask.config.get("distributed.comm.tls") | told)
    with (
        LocalCluster(n_workers=0, security=theirs, dashboard_address=None, host="127.0.0.1") as there,
        pytest.raises(MachineError, match="CA_FILE"),
    ):
        Cluster(there.scheduler_address)
