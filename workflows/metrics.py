"""Metrics of runs and conversations, by Temporal's own meter: what is replayed is not counted again."""

from collections.abc import Iterable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import MetricMeter

from workflows.counts import Count


def emit(counts: Iterable[Count]) -> None:
    """Count; to be called from a workflow."""
    if workflow.unsafe.is_replaying():
        return
    meter = workflow.metric_meter()
    for count in counts:
        _add(meter, count)


def _add(meter: MetricMeter, count: Count) -> None:
    metric = count.metric
    if metric.timed:
        histogram = meter.create_histogram_timedelta(metric.name, metric.about)
        histogram.record(timedelta(seconds=max(count.value, 0)), count.labels)  # a message may be older than the run
    else:
        meter.create_counter(metric.name, metric.about, metric.unit).add(int(count.value), count.labels)
