"""What Prometheus reads: a registry per app, so that two apps in one process stay apart."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from autograder.api import Ledger
from hub.service.ports import Grader


class _Now(Collector):
    """Gauges that are asked for when they are read."""

    def __init__(self, ledger: Ledger, grader: Grader) -> None:
        self.ledger, self.grader = ledger, grader

    def collect(self) -> Iterable[Metric]:
        """Queue and nodes."""
        queue = GaugeMetricFamily("autograder_submissions_state", "Submissions by state.", labels=["state"])
        for state, number in self.ledger.counts().items():
            queue.add_metric([str(state)], number)
        nodes = self.grader.nodes()
        cores = GaugeMetricFamily("autograder_node_cores", "Cores of a node.", labels=["node"])
        busy = GaugeMetricFamily("autograder_node_busy_cores", "Cores at work.", labels=["node"])
        out = GaugeMetricFamily("autograder_node_quarantined", "1 while a node is kept out of work.", labels=["node"])
        for node in nodes:
            name = [str(node.get("name", ""))]
            cores.add_metric(name, float(node.get("cores", 0) or 0))
            busy.add_metric(name, float(node.get("busy", 0) or 0))
            out.add_metric(name, float(bool(node.get("quarantined"))))
        total = GaugeMetricFamily("autograder_nodes", "Nodes that answer.", value=len(nodes))
        return [queue, total, cores, busy, out]


class Metrics:
    """Counters of this process."""

    def __init__(self, ledger: Ledger, grader: Grader) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Now(ledger, grader))
        self.submissions = Counter(
            "autograder_submissions", "Receipts given.", ["purpose", "duplicate"], registry=self.registry
        )
        self.refused = Counter("autograder_refused", "Refused at the door.", ["why"], registry=self.registry)
        self.gradings = Counter("autograder_gradings", "Grades recorded.", registry=self.registry)
        self.receipt_s = Histogram(
            "autograder_receipt_seconds",
            "From the last byte to the receipt.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
