"""Metrics that are sent by OTLP, as OpenTelemetry's own variables say."""

import pytest

from infra.config import Config, TelemetrySettings, WorkerSettings
from infra.connection import connect
from infra.devserver import DevServer
from infra.errors import SetupError
from infra.telemetry import MetricSettings, runtime
from tests.harness import eventually
from tests.telemetry.collector import collector
from tests.workflows.rooms import ANN, BEN, Rooms
from worker import create_worker
from workflows.conversation.workflow import Conversation


async def test_metrics_are_sent_to_the_collector_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as taken:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{taken.endpoint}/")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b")
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "200")
        told_by = runtime(TelemetrySettings())
        assert told_by
        async with DevServer() as server:
            client = await connect(server.address, runtime=told_by)
            config = Config(worker=WorkerSettings(max_cached_workflows=10))
            async with create_worker(client, config, workflows=[Conversation], activities=[]):
                room = await Rooms(client, config.worker.task_queue).open(ANN, BEN)
                await room.close()

                async def told() -> bool:
                    return any(b"parley_conversations_ended" in body for _, _, body in taken.requests)

                await eventually(told)
        assert {(path, key) for path, key, _ in taken.requests} == {("/v1/metrics", "a b")}


@pytest.mark.parametrize(
    ("variables", "endpoint", "is_http"),
    [
        ({}, None, True),
        ({"ENDPOINT": "http://c:4318"}, "http://c:4318/v1/metrics", True),
        ({"ENDPOINT": "http://c:4317", "PROTOCOL": "grpc"}, "http://c:4317", False),
        ({"METRICS_ENDPOINT": "http://c/m"}, "http://c/m", True),
        ({"METRICS_ENDPOINT": "http://c/m", "ENDPOINT": "http://other"}, "http://c/m", True),
        ({"METRICS_ENDPOINT": "http://c:4317", "METRICS_PROTOCOL": "grpc"}, "http://c:4317", False),
    ],
)
def test_the_variables_mean_what_they_mean_everywhere(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], endpoint: str | None, is_http: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
    settings = MetricSettings()
    assert (settings.endpoint, settings.is_http) == (endpoint, is_http)


@pytest.mark.parametrize(("name", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_METRICS_EXPORTER", "none")])
def test_nothing_is_told_where_it_is_turned_off(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv(name, value)
    assert runtime(TelemetrySettings()) is None


def test_a_protocol_that_there_is_not_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon")
    with pytest.raises(SetupError, match=r"^OTEL_\.\.\.: exporter_otlp_protocol: Input should be 'grpc' or .*$"):
        runtime(TelemetrySettings())
