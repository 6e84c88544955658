"""``/metrics``: what this process sees, in Prometheus' text format, computed when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from calfeed.errors import LedgerError
from calfeed.ledger.subscriptions import Standing
from calfeed.web.site import Site, site

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Gauges only: several replicas answer the same."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Reader(site()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


class _Reader(Collector):
    def __init__(self, here: Site) -> None:
        self.here = here

    def collect(self) -> Iterator[Metric]:
        """Source first; the ledger's where it can be read."""
        publisher = self.here.publisher
        snapshot = publisher.snapshot
        yield _gauge("calfeed_events", "Events served.", len(snapshot.catalog.events) if snapshot else 0)
        yield _gauge(
            "calfeed_source_problems", "Faults of the event list as it now lies on disk.", len(publisher.problems)
        )
        if publisher.reloaded_at:
            yield _gauge(
                "calfeed_published_timestamp_seconds",
                "When the served state came into use.",
                publisher.reloaded_at.timestamp(),
            )
        try:
            found = list(self._ledger())
        except LedgerError:
            found = []
        yield _gauge("calfeed_database_up", "Whether the database answers.", bool(found))
        yield from found

    def _ledger(self) -> Iterator[Metric]:
        ledger = self.here.ledger
        yield _gauge("calfeed_publication", "Number of the current publication.", ledger.version())
        ticked = ledger.last_tick()
        if ticked:
            yield _gauge(
                "calfeed_last_tick_timestamp_seconds", "When a reminder process last ticked.", ticked.timestamp()
            )
        broken = [one for one in ledger.channels() if one.broken_since]
        yield _gauge("calfeed_channels_broken", "Channels nothing is sent to until they change.", len(broken))
        yield _by_state(ledger.self_service.counts())


def _by_state(counts: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily("calfeed_subscriptions", "Self-service subscriptions.", labels=["state"])
    for state in Standing:
        family.add_metric([state.value], counts.get(state, 0))
    return family


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=float(value))
