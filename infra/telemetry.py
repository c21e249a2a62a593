"""The runtime that tells of the work: metrics that Prometheus fetches, or that are sent by OTLP."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import unquote

from pydantic import Field
from temporalio.runtime import LoggingConfig, OpenTelemetryConfig, PrometheusConfig, Runtime, TelemetryConfig

from infra.config import TelemetrySettings
from infra.errors import SetupError
from infra.otlp import OtlpSettings, Protocol
from workflows import counts

HANDLED_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""What machines take is counted up to these bounds."""

WAITED_SECONDS: Final = (1.0, 10.0, 60.0, 300.0, 1_800.0, 3_600.0, 14_400.0, 86_400.0, 604_800.0, 2_592_000.0)
"""The same for what people take, up to a month."""

BOUNDS: Final[Mapping[str, tuple[float, ...]]] = {
    counts.ANSWERS.name: HANDLED_SECONDS,
    counts.TRANSITION_TIMES.name: HANDLED_SECONDS,
    counts.PERSON_WAITS.name: WAITED_SECONDS,
    counts.MODE_TIMES.name: WAITED_SECONDS,
}


class MetricSettings(OtlpSettings):
    """OpenTelemetry's own variables, as far as metrics are concerned."""

    metrics_exporter: str = "otlp"
    exporter_otlp_metrics_endpoint: str | None = None
    exporter_otlp_metrics_protocol: Protocol | None = None
    exporter_otlp_headers: str = Field(default="", repr=False)
    exporter_otlp_metrics_headers: str | None = Field(default=None, repr=False)
    metric_export_interval: int = Field(default=60_000, gt=0)
    """In milliseconds."""

    @property
    def is_http(self) -> bool:
        """Whether they are sent by HTTP; else by gRPC."""
        return (self.exporter_otlp_metrics_protocol or self.exporter_otlp_protocol) == "http/protobuf"

    @property
    def endpoint(self) -> str | None:
        """Where metrics are sent; nowhere where none is named, or other exporters are."""
        if self.sdk_disabled or self.metrics_exporter != "otlp":
            return None
        if self.exporter_otlp_metrics_endpoint or not self.exporter_otlp_endpoint:
            return self.exporter_otlp_metrics_endpoint
        # What is said for all signals is where their paths begin.
        return self.exporter_otlp_endpoint.rstrip("/") + ("/v1/metrics" if self.is_http else "")

    @property
    def headers(self) -> dict[str, str]:
        """What is sent with them, such as a key."""
        given = self.exporter_otlp_metrics_headers or self.exporter_otlp_headers
        pairs = (pair.partition("=") for pair in given.split(",") if "=" in pair)
        return {name.strip(): unquote(value.strip()) for name, _, value in pairs}


def tells_metrics(settings: TelemetrySettings) -> bool:
    """Whether metrics are told at all.

    Raises:
        SetupError: A setting can't be used.
    """
    return _metrics(settings) is not None


def runtime(settings: TelemetrySettings, logs: LoggingConfig | None = None) -> Runtime | None:
    """Build the runtime that connections and workers tell of their work by; None where nothing is to be told.

    Args:
        settings: The settings.
        logs: How the part of the SDK that isn't Python logs, where it isn't as usual.

    Raises:
        SetupError: A setting can't be used, or the address.
    """
    metrics = _metrics(settings)
    if metrics is None and logs is None:
        return None
    logging = logs or LoggingConfig.default
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=metrics, logging=logging, attach_service_name=False))
    except (RuntimeError, ValueError) as error:
        raise SetupError(f"[telemetry] the metrics can't be told: {str(error).splitlines()[0]}") from error


def _metrics(settings: TelemetrySettings) -> PrometheusConfig | OpenTelemetryConfig | None:
    if settings.prometheus:
        return PrometheusConfig(
            bind_address=settings.prometheus,
            counters_total_suffix=True,
            unit_suffix=True,
            durations_as_seconds=True,
            histogram_bucket_overrides=BOUNDS,
        )
    otlp = MetricSettings.read()
    if otlp.endpoint is None:
        return None
    return OpenTelemetryConfig(
        url=otlp.endpoint,
        http=otlp.is_http,
        headers=otlp.headers,
        metric_periodicity=timedelta(milliseconds=otlp.metric_export_interval),
        durations_as_seconds=True,
        histogram_bucket_overrides=BOUNDS,
    )
