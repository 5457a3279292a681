"""Prometheus: requests by route and status, how long they took, how many are under way, open sockets."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HubMetrics:
    """The metrics of one hub; two hubs in one process do not share any."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._requests = Counter(
            "solo_unicorn_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "solo_unicorn_request_seconds",
            "Time to answer",
            ["method", "route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._under_way = Gauge("solo_unicorn_requests_under_way", "Requests being answered", registry=self.registry)
        info = Gauge("solo_unicorn_info", "The version", ["version"], registry=self.registry)
        info.labels(version).set(1)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def watch(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Add a number that is read when the metrics are asked for."""
        Gauge(f"solo_unicorn_{name}", description, registry=self.registry).set_function(read)

    def begin(self) -> None:
        self._under_way.inc()

    def end(self, method: str, route: str, status: int, seconds: float) -> None:
        self._under_way.dec()
        method = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
        found = self._children.get((method, route, status))
        if found is None:
            children = (self._requests.labels(method, route, str(status)), self._seconds.labels(method, route))
            found = self._children[method, route, status] = children
        found[0].inc()
        found[1].observe(seconds)

    def page(self) -> tuple[bytes, str]:
        """What a scraper is given, with its media type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
