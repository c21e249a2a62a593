"""What a real worker logs of a refund that people talk about."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from pathlib import Path
from typing import Final

import pytest
from temporalio.exceptions import ApplicationError

from infra import logs
from infra.config import LogFormat, TelemetrySettings
from infra.connection import connect
from infra.devserver import DevServer
from signals.messages import Propose, Turn
from signals.names import TASK_QUEUE, WorkflowType, run_of
from signals.support import Customer, SupportRequest
from tests.chaos.processes import language_model, workers
from tests.harness import eventually
from tests.telemetry.collector import Collector, collector
from tests.workflows.talks import Talks

RUN: Final = "support-1"
CONVERSATION: Final = f"{RUN}/refused-1"
ASKED: Final = "I want my money back for A-1002, the espresso machine arrived broken."
SAID: Final = "The boiler is cracked in two."
NOTE: Final = "arrived in pieces"

Line = dict[str, object]


async def logged(folder: Path, **more: str) -> tuple[str, list[Line]]:
    """Have a worker grant a refund that was refused; gives what it logged, as it is and read."""
    environment = {"PARLEY_ASSISTANT__WARM": "reply", **more}
    with language_model() as model:
        async with DevServer() as server, workers(server.address, folder, model, environment) as running:
            process = await running.start()
            client = await connect(server.address)
            talks = Talks(client, TASK_QUEUE)
            customer = Customer(id="C-1", name="Alice Martin", email="alice@example.com")
            run = await client.start_workflow(
                WorkflowType.CUSTOMER_SUPPORT,
                SupportRequest(customer=customer, text=ASKED),
                id=RUN,
                task_queue=TASK_QUEUE,
            )
            await talks.opened(run)
            await run.signal("turn", Turn(speaker="C-1", text=SAID))
            await run.signal("turn", Turn(speaker="nobody", text=SAID))
            await talks.said(CONVERSATION, 2)
            people = (await talks.status(CONVERSATION)).participants
            agent = next(who.id for who in people if who.role == "agent")
            outcome = {"action": "refund", "order_id": "A-1002", "amount": "180.00", "note": NOTE}
            await run.signal("propose", Propose(speaker=agent, outcome=outcome))
            await run.result()
            await running.stop(process)
            text = running.log.read_text()
    return text, [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
async def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Line]]:
    """What is logged in every detail, but for what is said."""
    return await logged(tmp_path_factory.mktemp("usual"), PARLEY_TELEMETRY__LOG_LEVEL="debug")


@pytest.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Line]]:
    """What is logged where all of it is wanted, with traces."""
    wanted = {"PARLEY_TELEMETRY__LOG_LEVEL": "debug", "PARLEY_TELEMETRY__CONTENT": "true"}
    with collector() as taken:
        traces = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{taken.endpoint}/v1/traces", "OTEL_BSP_SCHEDULE_DELAY": "100"}
        _, lines = await logged(tmp_path_factory.mktemp("whole"), **wanted, **traces)
        roots = await eventually(lambda: _traces(taken))
    yield [{**line, "is_traced": line.get("trace_id") in roots} for line in lines]


async def _traces(taken: Collector) -> set[str]:
    return {span.trace for span in taken.spans if span.name == "RunWorkflow:CustomerSupport"}


def found(lines: list[Line], message: str) -> Line:
    """The only line with a message."""
    [line] = [line for line in lines if line["message"] == message]
    return line


def names(value: object) -> set[object]:
    """The names in a list that a line has."""
    assert isinstance(value, list)
    return set(value)


async def test_a_change_of_mode_is_logged_with_all_that_is_known(usual: tuple[str, list[Line]]) -> None:
    line = found(usual[1], "Mode: workflow to conversation (point)")
    expected = {
        "level": "info",
        "run": RUN,
        "workflow_type": "CustomerSupport",
        "conversations": [CONVERSATION],
        "facts": [],
    }
    assert expected.items() <= line.items()
    assert {"C-1", "assistant"} <= names(line["participants"])
    transition = line["transition"]
    assert isinstance(transition, dict)
    told = {"source": "workflow", "target": "conversation", "trigger": "point", "cause": "RefusedByPolicy"}
    assert told.items() <= transition.items()
    assert transition["conversation"] == CONVERSATION
    assert "steps" in line
    assert "results" in line


async def test_a_conversation_is_logged_with_its_run_and_who_takes_part(usual: tuple[str, list[Line]]) -> None:
    begins = found(usual[1], "The conversation begins")
    assert (begins["run"], begins["conversation"]) == (RUN, CONVERSATION)
    assert begins["run_id"]
    assert {"C-1", "assistant"} <= names(begins["participants"])
    ends = found(usual[1], "The conversation ends: decision")
    assert ends["conversation"] == CONVERSATION
    refused = found(usual[1], "Not accepted: NotAParticipant")
    assert refused["speaker"] == "nobody"


async def test_no_word_of_anybody_is_in_it(usual: tuple[str, list[Line]]) -> None:
    text, _ = usual
    assert [said for said in (ASKED, SAID, NOTE, "I understand", "Alice Martin") if said in text] == []


async def test_turns_are_logged_with_what_was_said_where_that_is_configured(whole: list[Line]) -> None:
    turns = {line["speaker"]: line["text"] for line in whole if str(line["message"]).startswith("Turn ")}
    assert turns == {"C-1": SAID, "assistant": "I understand."}


async def test_a_line_has_the_trace_that_it_is_part_of(whole: list[Line]) -> None:
    for message in ("The conversation begins", "Turn 1", "Mode: workflow to conversation (point)"):
        assert found(whole, message)["is_traced"], message


class Terminal(StringIO):
    """Where people read."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger whose lines go where a test has them go; all is as before at the end."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield logging.getLogger("workflows.test")
    root.handlers[:] = handlers
    root.setLevel(level)


def test_it_is_to_be_read_on_a_terminal_and_json_elsewhere(logger: logging.Logger) -> None:
    for stream, settings, is_json in (
        (Terminal(), TelemetrySettings(), False),
        (StringIO(), TelemetrySettings(), True),
        (Terminal(), TelemetrySettings(log_format=LogFormat.JSON), True),
        (StringIO(), TelemetrySettings(log_format=LogFormat.TEXT), False),
    ):
        logs.set_up(settings, stream)
        logger.info("Well", extra={"run": "r-1"})
        assert stream.getvalue().startswith("{") is is_json
        assert "Well" in stream.getvalue()
        assert "r-1" in stream.getvalue()


def test_of_an_error_where_it_was_raised_is_logged_and_not_its_text(logger: logging.Logger) -> None:
    stream = StringIO()
    logs.set_up(TelemetrySettings(), stream)
    words, key = "alice's words", "key sk-1234 is refused"
    try:
        try:
            raise KeyError(words)
        except KeyError as error:
            raise ApplicationError(key, type="AssistantFailed") from error
    except ApplicationError:
        logger.exception("It failed")
    told = json.loads(stream.getvalue())["exception"]
    assert [line for line in told.splitlines() if not line.startswith(" ")] == [
        "KeyError",
        "and then",
        "ApplicationError (AssistantFailed)",
    ]
    assert "test_logs.py" in told
    assert words not in told
    assert key not in told


@pytest.mark.parametrize(
    ("conversation", "run"), [("r/refused-1", "r"), ("a/b/talk-12", "a/b"), ("free", None), ("team/lunch", None)]
)
def test_the_run_of_a_conversation_is_known_by_its_id(conversation: str, run: str | None) -> None:
    assert run_of(conversation) == run
