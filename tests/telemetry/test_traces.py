"""The trace of a support request that people talk about, as a collector has it that real workers send it to."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, Interceptor, OutboundInterceptor, SignalWorkflowInput
from temporalio.converter import PayloadConverter
from temporalio.service import RPCError

from infra.config import TelemetrySettings
from infra.connection import connect
from infra.devserver import DevServer
from infra.errors import SetupError
from infra.traces import GuardedExporter, TraceSettings, exporter, tracing
from signals.messages import Propose, Turn
from signals.names import TASK_QUEUE, WorkflowType
from signals.participants import Kind, Participant
from signals.support import Customer, Resolution, ResolutionStatus, SupportRequest
from tests.chaos.processes import Workers, language_model, workers
from tests.harness import eventually
from tests.telemetry.collector import Collector, Span, collector
from tests.workflows.rooms import ANN, Rooms
from tests.workflows.talks import Run, Talks

RUN: Final = "support-1"
CONVERSATION: Final = f"{RUN}/refused-1"

ASKED: Final = "I want my money back for A-1002, the espresso machine arrived broken."
SAID: Final = ("The boiler is cracked in two.", "I have seen the photographs.")
ANSWER: Final = "I understand."
COMMENT: Final = "a whole refund, out of goodwill"
NOTE: Final = "arrived in pieces"

REPLIED: Final = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
TASKS: Final = (
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
)

FOREIGN: Final = "0af7651916cd43dd8448eb211c80319c"
"""The trace that a turn's sender is in."""


class FromElsewhere(Interceptor):
    """A sender who has a trace of their own."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """Look at what is sent."""

        class Outbound(OutboundInterceptor):
            async def signal_workflow(self, input: SignalWorkflowInput) -> None:
                carried = {"traceparent": f"00-{FOREIGN}-b7ad6b7169203331-01"}
                payload = PayloadConverter.default.to_payloads([carried])[0]
                input.headers = {**input.headers, "_tracer-data": payload}
                await super().signal_workflow(input)

        return Outbound(next)


@dataclass
class Traced:
    """What the collector has of the request, and the bytes that it was sent."""

    taken: Collector

    @property
    def spans(self) -> list[Span]:
        """The spans of the request's trace."""
        every = self.taken.spans
        [trace] = {span.trace for span in every if span.name == "RunWorkflow:CustomerSupport"}
        return [span for span in every if span.trace == trace]

    def named(self, name: str) -> list[Span]:
        """The spans of one name, in the order of their beginnings."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.start)

    def one(self, name: str) -> Span:
        """The only span of a name."""
        [span] = self.named(name)
        return span

    def linked(self, span: Span) -> Span:
        """The only span that a span has a link to."""
        [link] = span.links
        [found] = [one for one in self.taken.spans if (one.trace, one.id) == link]
        return found

    def above(self, span: Span) -> Iterator[Span]:
        """The spans that a span is part of, the nearest first."""
        by_id = {one.id: one for one in self.spans}
        while span.parent in by_id:
            span = by_id[span.parent]
            yield span


def environment(taken: Collector, **more: str) -> dict[str, str]:
    """A worker's, that forgets every run at once, and whose spans are sent soon."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": taken.endpoint,
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "PARLEY_WORKER__MAX_CACHED_WORKFLOWS": "0",
        "PARLEY_ASSISTANT__WARM": "reply",
        **more,
    }


async def solve(server: DevServer, running: Workers) -> None:
    """Have a refund refused, talked about and granted, by two workers one after the other."""
    client = await connect(server.address)
    first = await running.start()
    run = await ask(client)
    talk = client.get_workflow_handle(CONVERSATION)
    await settled(talk)
    await run.signal("turn", Turn(speaker="C-1", text=SAID[0]))
    await settled(talk, replies=1)
    await running.stop(first)
    await running.start()
    agent = next(
        who.id for who in (await Talks(client, TASK_QUEUE).status(talk.id)).participants if who.role == "agent"
    )
    elsewhere = await Client.connect(
        server.address, data_converter=client.data_converter, interceptors=[FromElsewhere()]
    )
    await elsewhere.get_workflow_handle(talk.id).signal("turn", Turn(speaker=agent, text=SAID[1]))
    await settled(talk, replies=2)
    outcome = {"action": "refund", "order_id": "A-1002", "amount": "180.00", "note": NOTE}
    await run.signal("propose", Propose(speaker=agent, outcome=outcome, comment=COMMENT))
    resolution = Resolution.model_validate(await run.result())
    assert resolution.status is ResolutionStatus.RESOLVED


async def settled(talk: Run, replies: int = 0) -> None:
    """Wait until so many replies are dealt with; asking the conversation would make it go on before its time."""

    async def kinds() -> "list[EventType.ValueType]":
        try:
            return [event.event_type for event in (await talk.fetch_history()).events]
        except RPCError:
            return []  # it isn't open yet

    def are_settled(kinds: "list[EventType.ValueType]") -> bool:
        tasks = [kind for kind in kinds if kind in TASKS]
        return kinds.count(REPLIED) >= replies and tasks[-1:] == [TASKS[-1]]

    await eventually(kinds, are_settled, 30)


async def ask(client: Client) -> Run:
    """Ask for the refund."""
    customer = Customer(id="C-1", name="Alice Martin", email="alice@example.com")
    return await client.start_workflow(
        WorkflowType.CUSTOMER_SUPPORT, SupportRequest(customer=customer, text=ASKED), id=RUN, task_queue=TASK_QUEUE
    )


@pytest.fixture(scope="module")
async def traced(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traced]:
    """The trace, when the request is solved."""
    with collector() as taken, language_model() as model:
        async with (
            DevServer() as server,
            workers(server.address, tmp_path_factory.mktemp("books"), model, environment(taken)) as running,
        ):
            await solve(server, running)

            async def names() -> set[str]:
                return {span.name for span in taken.spans}

            await eventually(names, lambda names: "RunWorkflow:CustomerSupport" in names)
        yield Traced(taken)


async def test_run_conversation_activities_and_models_are_in_one_trace(traced: Traced) -> None:
    root = traced.one("RunWorkflow:CustomerSupport")
    assert (root.parent, root.service) == ("", "parley")
    for name in ("RunWorkflow:Conversation", "RunActivity:classify", "RunActivity:reply", "chat test"):
        for span in traced.named(name) or pytest.fail(f"no {name}"):
            assert root in traced.above(span), name
    talk = traced.one("RunWorkflow:Conversation")
    assert all(talk in traced.above(span) for span in traced.named("RunActivity:reply"))
    assert talk.attributes["temporalWorkflowID"] == CONVERSATION
    assert len(traced.named("RunWorkflow:Refund")) == 2


async def test_nothing_is_told_twice_though_everything_is_replayed_all_the_time(traced: Traced) -> None:
    times = Counter(span.id for span in traced.taken.spans)
    assert [span for span in traced.taken.spans if times[span.id] > 1] == []
    root, talk = traced.one("RunWorkflow:CustomerSupport"), traced.one("RunWorkflow:Conversation")
    own = ("Turn:", "Reply", "Transition:", "Mode:")
    parts = [span.name for span in traced.spans if span.parent in (root.id, talk.id)]
    assert Counter(name for name in parts if name.startswith(own)) == {
        "Turn:human": 2,
        "Turn:ai": 2,
        "Transition:workflow-conversation": 1,
        "Transition:conversation-workflow": 1,
        "Mode:workflow": 2,
        "Mode:conversation": 1,
    }


async def test_a_transition_says_where_it_leads_and_what_set_it_off(traced: Traced) -> None:
    there, back = traced.one("Transition:workflow-conversation"), traced.one("Transition:conversation-workflow")
    assert there.attributes == {
        "parley.transition.from": "workflow",
        "parley.transition.to": "conversation",
        "parley.transition.trigger": "point",
        "parley.transition.cause": "RefusedByPolicy",
        "parley.transition.conversation": CONVERSATION,
    }
    assert back.attributes["parley.transition.trigger"] == "closed"
    assert back.attributes["parley.transition.cause"] == "decision"
    root = traced.one("RunWorkflow:CustomerSupport")
    assert {there.parent, back.parent} == {root.id}


async def test_modes_fill_the_run_one_after_the_other(traced: Traced) -> None:
    root, talking = traced.one("RunWorkflow:CustomerSupport"), traced.one("Mode:conversation")
    before, after = [span for span in traced.named("Mode:workflow") if span.parent == root.id]
    assert before.end == talking.start == traced.one("Transition:workflow-conversation").end
    assert talking.end == after.start
    assert talking.end > talking.start
    assert abs(before.start - root.start) < 1e9 > abs(after.end - root.end)


async def test_a_turn_is_told_with_its_speaker_and_how_it_came(traced: Traced) -> None:
    talk = traced.one("RunWorkflow:Conversation")
    customer, agent = traced.named("Turn:human")
    assert {customer.parent, agent.parent} == {talk.id}
    assert customer.attributes["parley.speaker"] == "C-1"
    assert customer.attributes["gen_ai.conversation.id"] == CONVERSATION
    first, direct = traced.linked(customer), traced.linked(agent)
    assert (direct.name, direct.trace, direct.parent) == ("HandleSignal:turn", FOREIGN, "b7ad6b7169203331")
    assert direct.attributes["temporalWorkflowID"] == CONVERSATION
    # The customer's was sent to the run, which passed it on.
    assert (first.name, first.parent, first.attributes["temporalWorkflowID"]) == ("HandleSignal:turn", "", RUN)


async def test_an_answer_of_a_model_is_told_by_the_conventions_and_is_part_of_the_turn(traced: Traced) -> None:
    for turn in traced.named("Turn:ai"):
        [chat] = [span for span in traced.named("chat test") if turn in traced.above(span)]
        told = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "test",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 3,
            "gen_ai.conversation.id": CONVERSATION,
        }
        assert told.items() <= chat.attributes.items()


async def test_no_word_of_anybody_is_in_it(traced: Traced) -> None:
    sent = b"".join(body for _, _, body in traced.taken.requests)
    assert [text for text in (ASKED, *SAID, ANSWER, COMMENT, NOTE, "Alice Martin") if text.encode() in sent] == []


async def test_what_was_said_is_in_it_where_that_is_configured(tmp_path: Path) -> None:
    with collector() as taken, language_model() as model:
        more = environment(taken, PARLEY_TELEMETRY__CONTENT="true", OTEL_SERVICE_NAME="desk")
        async with DevServer() as server, workers(server.address, tmp_path, model, more) as running:
            await running.start()
            rooms = Rooms(await connect(server.address), TASK_QUEUE)
            room = await rooms.open(ANN, Participant(id="bot", kind=Kind.AI, role="assistant"))
            await room.say("ann", SAID[0])
            await room.taken(2)

            async def told() -> dict[object, object]:
                turns = [span for span in taken.spans if span.name.startswith("Turn:")]
                return {turn.attributes["parley.speaker"]: turn.attributes["parley.turn.text"] for turn in turns}

            assert await eventually(told, lambda texts: len(texts) == 2) == {"ann": SAID[0], "bot": ANSWER}
            [chat] = [span for span in taken.spans if span.name == "chat test"]
            assert SAID[0] in str(chat.attributes["gen_ai.input.messages"])
            assert chat.service == "desk"


def test_of_an_error_its_kind_is_sent_and_not_its_text() -> None:
    sent = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(GuardedExporter(sent)))
    with pytest.raises(ValueError), provider.get_tracer("test").start_as_current_span("step"):
        raise ValueError("key sk-1234 is refused")
    [span] = sent.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert [dict(event.attributes or {}) for event in span.events] == [
        {"exception.type": "ValueError", "exception.escaped": "False"}
    ]


def test_what_is_told_again_with_the_same_id_is_sent_once() -> None:
    sent = InMemorySpanExporter()
    span = TracerProvider().get_tracer("test").start_span("step")
    assert isinstance(span, ReadableSpan)
    guarded = GuardedExporter(sent, remembered=2)
    guarded.export([span, span])
    guarded.export([span])
    assert len(sent.get_finished_spans()) == 1


@pytest.mark.parametrize(
    ("variables", "protocol"),
    [
        ({}, None),
        ({"EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, "http/protobuf"),
        ({"EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4317", "EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, "grpc"),
        ({"EXPORTER_OTLP_ENDPOINT": "http://c:4317", "EXPORTER_OTLP_PROTOCOL": "grpc"}, "grpc"),
        ({"EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4318/v1/metrics"}, None),
        ({"EXPORTER_OTLP_ENDPOINT": "http://c:4318", "TRACES_EXPORTER": "none"}, None),
        ({"EXPORTER_OTLP_ENDPOINT": "http://c:4318", "SDK_DISABLED": "true"}, None),
    ],
)
def test_the_variables_say_whether_and_how_traces_are_sent(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], protocol: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OTEL_{name}", value)
    assert TraceSettings().protocol == protocol


def test_traces_can_be_sent_by_grpc(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[ExportTraceServiceRequest] = []

    def take(request: ExportTraceServiceRequest, _: grpc.ServicerContext) -> ExportTraceServiceResponse:
        taken.append(request)
        return ExportTraceServiceResponse()

    method = grpc.unary_unary_rpc_method_handler(
        take, ExportTraceServiceRequest.FromString, ExportTraceServiceResponse.SerializeToString
    )
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    try:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter("grpc")))
        provider.get_tracer("test").start_span("step").end()
        provider.shutdown()
    finally:
        server.stop(None).wait()
    assert taken[0].resource_spans[0].scope_spans[0].spans[0].name == "step"


def test_nothing_is_traced_where_nobody_asks_for_it() -> None:
    assert tracing(TelemetrySettings()) is None


def test_a_protocol_that_there_is_not_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "carrier-pigeon")
    with pytest.raises(SetupError, match=r"^OTEL_\.\.\.: exporter_otlp_traces_protocol: Input should be 'grpc' or .*$"):
        tracing(TelemetrySettings())
