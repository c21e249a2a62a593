"""Traces: what runs, conversations and activities do, sent by OTLP as OpenTelemetry's own variables say.

Spans come from Temporal's plugin (workflows, messages, activities), from pydantic-ai (language models) and from
`workflows.spans` (turns, modes, transitions). This module puts them into one trace for each run, and keeps back what
people, models and providers say.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import baggage, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from pydantic_ai.models.instrumented import InstrumentationSettings
from temporalio import activity
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider
from temporalio.exceptions import ApplicationError
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from infra.config import TelemetrySettings
from infra.otlp import OtlpSettings, Protocol
from workflows import spans

SERVICE: Final = "parley"
"""What the service is called where `OTEL_SERVICE_NAME` doesn't say."""

ERROR: Final = "error.type"
"""OpenTelemetry's own name for the kind of an error."""

KEPT_BACK: Final = frozenset({"exception.message", "exception.stacktrace"})
"""What the texts of errors are in; they may quote anybody, or hold a provider's key."""

REMEMBERED: Final = 20_000
"""How many of the spans that were sent last are known again; a few megabytes."""


class TraceSettings(OtlpSettings):
    """OpenTelemetry's own variables, as far as they say whether there are traces; the exporter reads the others."""

    traces_exporter: str = "otlp"
    exporter_otlp_traces_endpoint: str | None = None
    exporter_otlp_traces_protocol: Protocol | None = None

    @property
    def protocol(self) -> Protocol | None:
        """How traces are sent; nothing where they are not."""
        named = self.exporter_otlp_traces_endpoint or self.exporter_otlp_endpoint
        if self.sdk_disabled or self.traces_exporter != "otlp" or not named:
            return None
        return self.exporter_otlp_traces_protocol or self.exporter_otlp_protocol


class Tracing:
    """A process's traces.

    Args:
        exporter: Sends the spans.
        with_content: Whether they may have what people and models say.
    """

    def __init__(self, exporter: SpanExporter, with_content: bool) -> None:
        self._provider = create_tracer_provider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(GuardedExporter(exporter)))
        trace.set_tracer_provider(self._provider)  # Temporal's plugin asks for the process's own
        self.models = InstrumentationSettings(
            tracer_provider=self._provider,
            include_content=with_content,
            include_binary_content=False,
            include_model_request_parameters=False,
        )
        """How language models' clients tell of what they are asked."""

        self.plugins = [
            OpenTelemetryPlugin(add_temporal_spans=True),
            SimplePlugin("parley-traces", interceptors=[TraceInterceptor(with_content)]),
        ]
        """What the connection to Temporal is made with; the order matters."""

    async def aclose(self) -> None:
        """Send what has not been sent yet."""
        await asyncio.to_thread(self._provider.shutdown)


def tracing(settings: TelemetrySettings) -> Tracing | None:
    """Begin to trace what this process does; None where no traces are wanted.

    Raises:
        SetupError: A variable can't be used.
    """
    protocol = TraceSettings.read().protocol
    return None if protocol is None else Tracing(exporter(protocol), settings.content)


def exporter(protocol: Protocol) -> SpanExporter:
    """What sends spans; where to, and with what, it reads from OpenTelemetry's own variables."""
    # Each has its own libraries, of which gRPC's is large.
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter

        return GrpcExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _resource() -> Resource:
    found = Resource.create()
    named = str(found.attributes.get(SERVICE_NAME, "")).startswith("unknown_service")
    return found.merge(Resource({SERVICE_NAME: SERVICE})) if named else found


class GuardedExporter(SpanExporter):
    """Sends each span once, and without the texts of errors; what kind of error it was stays.

    A run that isn't in memory, and is asked something at the moment in which it goes on, goes on twice in a worker's
    eyes: for the question first, then for good. What it does has the same ids both times.

    Args:
        exporter: Sends them.
        remembered: How many of the last spans are known again.
    """

    def __init__(self, exporter: SpanExporter, remembered: int = REMEMBERED) -> None:
        self._exporter = exporter
        self._remembered = remembered
        self._sent: dict[tuple[int, str], None] = {}

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans."""
        new = [_discreet(span) for span in spans if self._is_new(span)]
        return self._exporter.export(new) if new else SpanExportResult.SUCCESS

    def _is_new(self, span: ReadableSpan) -> bool:
        key = (span.context.span_id if span.context else 0, span.name)
        if key in self._sent:
            return False
        self._sent[key] = None
        if len(self._sent) > self._remembered:
            del self._sent[next(iter(self._sent))]
        return True

    def shutdown(self) -> None:
        """Send no more."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what is kept back."""
        return self._exporter.force_flush(timeout_millis)


def _discreet(span: ReadableSpan) -> ReadableSpan:
    if not span.events and span.status.description is None:
        return span
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=[_without_texts(event) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _without_texts(event: Event) -> Event:
    attributes = {name: value for name, value in (event.attributes or {}).items() if name not in KEPT_BACK}
    return Event(event.name, attributes, event.timestamp)


class TraceInterceptor(Interceptor):
    """Keeps what is done about a message in the trace of the workflow that it is sent to.

    It must be inside Temporal's own, which lets a handler be part of the sender's trace.
    """

    def __init__(self, with_content: bool) -> None:
        self._with_content = with_content

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Give the interceptor of every workflow."""
        allowed = self._with_content

        class Inbound(_Workflow):
            with_content = allowed

        return Inbound

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Give the interceptor of every activity."""
        return _Activity(next)


class _Workflow(WorkflowInboundInterceptor):
    with_content = False

    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        super().__init__(next)
        self._run: Context | None = None
        """The workflow's context, once it has begun."""

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        self._run = spans.of_run(self.with_content)
        with spans.within(self._run), _error_types():
            return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        with spans.within(spans.of_message(self._run) if self._run else None):
            await super().handle_signal(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        with spans.within(spans.of_message(self._run) if self._run else None):
            return await super().handle_update_handler(input)


class _Activity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        # pydantic-ai's spans have what is said here.
        with spans.within(baggage.set_baggage(spans.CONVERSATION, activity.info().workflow_id or "")), _error_types():
            return await super().execute_activity(input)


@contextmanager
def _error_types() -> Iterator[None]:
    """Note on the span that goes on which kind of error ends it."""
    try:
        yield
    except Exception as error:
        own = error.type if isinstance(error, ApplicationError) else None
        trace.get_current_span().set_attribute(ERROR, own or type(error).__name__)
        raise
