"""What the dashboard and the alerts make of a day's work, by a real Prometheus that has it from a real worker."""

import json
import re
import socket
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError

from infra.backlog import backlog_told
from infra.config import Config, TelemetrySettings, WorkerSettings
from infra.connection import connect
from infra.devserver import DevServer
from infra.errors import SetupError
from infra.queues import Share
from infra.telemetry import runtime
from signals.adaptive import AdaptiveRequest, Task
from signals.assistant import Reply, ReplyRequest
from signals.messages import Invoke, Turn
from signals.modes import Paradigm
from tests.flows import fragments, points
from tests.flows.broken import Broken
from tests.flows.points import Wish
from tests.flows.steps import Agency
from tests.flows.talkers import Manner, Talkers, talker
from tests.harness import eventually, free_port
from tests.telemetry.prometheus import PROGRAM, Prometheus, prometheus
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Rooms, setup_of
from tests.workflows.talks import Talks, failure
from worker import create_worker
from workflows.conversation.workflow import Conversation
from workflows.modes.adaptive import Adaptive

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no prometheus on the path")

DASHBOARD: Final = Path(__file__).parents[2] / "infra" / "grafana" / "dashboards" / "parley.json"
QUEUE: Final = "parley"
TURNS: Final = 30
"""How many Ann takes, with an answer to each."""


class DearTalkers(Talkers):
    """They cost something."""

    @activity.defn(name="reply")
    async def reply(self, request: ReplyRequest) -> Reply:
        """Say the next thing."""
        return (await super().reply(request)).model_copy(update={"cost": 0.002})


VISIT: Final = AdaptiveRequest(
    task=Task(goal="Go there", workflow="Replace", input={"place": "Rome"}), paradigm=Paradigm.WORKFLOW
)
"""A task for a workflow."""

RULE: Final = {
    "when": {"kind": "dominates", "share": 0.4, "turns": 6},
    "then": {"do": "nudge", "text": "Let others speak."},
}


@pytest.fixture(scope="module")
async def observed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    """Prometheus, when a day's work is done."""
    of_worker = f"127.0.0.1:{free_port()}"
    folder = tmp_path_factory.mktemp("prometheus")
    async with (
        DevServer() as server,
        prometheus(folder, of_worker) as running,
    ):
        told_by = runtime(TelemetrySettings(prometheus=of_worker))
        assert told_by
        client = await connect(server.address, runtime=told_by)
        # In memory there is room for two runs, so that others are replayed all the time.
        config = Config(worker=WorkerSettings(task_queue=QUEUE, max_cached_workflows=2))
        flows = [*points.FLOWS, *fragments.FLOWS, Adaptive, Conversation, Broken]
        workers = create_worker(client, config, workflows=flows, activities=[DearTalkers().reply, *Agency().activities])
        async with workers, backlog_told(client, workers.shares, told_by.metric_meter):
            await a_day(client)
            yield running


async def a_day(client: Client) -> None:
    """Conversations and runs of every kind, good and bad."""
    rooms, talks = Rooms(client, QUEUE), Talks(client, QUEUE)
    ai = talker(Manner.ECHO), talker(Manner.MUTE, "mute")
    room = await rooms.open(
        ANN, BEN, *ai, coordination=FREE_FORM, history_events=50, adaptation=[RULE], fragments=["Errand"]
    )
    others = [await rooms.open(ANN, BEN) for _ in range(3)]
    for number in range(TURNS):
        await room.say("ann", f"bot, {number}?")
        await room.taken(2 * number + 2)
        await room.until(lambda status: not status.replying)
        await others[number % len(others)].say(("ann", "ben")[number // len(others) % 2], "well")
    await room.send(Invoke(speaker="ann", fragment="Errand", arguments={"place": "Rome"}))
    await room.until(lambda status: status.facts.get("seat"))
    await room.say("zoe", "let me in")
    await room.rejections(1)
    for one in (room, *others):
        await one.close()
    run = await talks.start("Consult", Wish())
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, {"place": "Oslo"})
    await run.result()
    await failure(await talks.start("Replace", Wish(refused=("Rome",), error="Strike")))
    await (await talks.start("Adaptive", VISIT)).result()
    await client.start_workflow("Broken", id="broken", task_queue=QUEUE)
    with pytest.raises(RPCError):
        await client.get_workflow_handle("nobody").signal("turn", Turn(speaker="ann", text="?"))


def expressions() -> list[str]:
    """All that the dashboard asks, as Grafana would."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [expression.replace("$__rate_interval", "1m") for expression in asked]


@pytest.mark.parametrize("expression", expressions())
async def test_every_query_of_the_dashboard_has_an_answer(observed: Prometheus, expression: str) -> None:
    assert await eventually(lambda: observed.query(expression))


async def test_what_happened_is_counted_once_however_often_it_is_replayed(observed: Prometheus) -> None:
    expected = {
        'parley_turns_total{kind="human"}': 2 * TURNS,
        'parley_turns_total{kind="ai"}': TURNS,
        "parley_conversations_opened_total": 5,
        "parley_conversations_ended_total": 5,
        'parley_conversations_ended_total{stop="decision"}': 1,
        'parley_rejections_total{type="NotAParticipant"}': 1,
        'parley_fragments_total{fragment="Errand", status="succeeded"}': 1,
        'parley_adaptations_total{seen="dominates", done="nudge"}': 1,
        'parley_answer_latency_seconds_count{model="echo", purpose="reply"}': TURNS,
        'parley_tokens_total{direction="input"}': 10 * TURNS,
        'parley_tokens_total{direction="output"}': 3 * TURNS,
        "parley_cost_total": 2000 * TURNS,
        "parley_person_wait_seconds_count": 2 * TURNS,
        'parley_transitions_total{source="workflow", target="conversation", trigger="point"}': 1,
        'parley_transitions_total{source="conversation", target="workflow", trigger="closed"}': 1,
        'parley_mode_time_seconds_count{mode="conversation"}': 1,
        'parley_mode_time_seconds_count{mode="workflow", workflow_type="Consult"}': 2,
        'parley_mode_time_seconds_count{mode="workflow", workflow_type="Replace"}': 1,
        'parley_selections_total{paradigm="workflow", reason="asked"}': 1,
        "parley_selections_total": 1,
        'parley_runs_total{paradigm="hybrid", mode="workflow", status="completed", workflow_type="Consult"}': 1,
        'parley_runs_total{paradigm="hybrid", mode="workflow", status="failed", workflow_type="Replace"}': 1,
        'parley_runs_total{paradigm="workflow", mode="workflow", status="completed", workflow_type="Adaptive"}': 1,
        'temporal_workflow_completed_total{workflow_type="Consult"}': 1,
        'temporal_workflow_failed_total{workflow_type="Replace"}': 1,
    }

    async def counted() -> dict[str, float]:
        return {series: await observed.number(f"sum({series})") for series in expected}

    await eventually(counted, lambda now: now == expected)
    assert await observed.number("sum(temporal_sticky_cache_miss_total)") > TURNS / 2
    assert await observed.number("sum(temporal_workflow_continue_as_new_total)") > 1


async def test_every_alert_can_be_evaluated_and_names_only_what_is_there(observed: Prometheus) -> None:
    alerts = await eventually(observed.rules, lambda rules: all(health == "ok" for _, health in rules.values()))
    names = {name for expression, _ in alerts.values() for name in re.findall(r"\b(?:temporal|parley)_\w+", expression)}
    assert len(alerts) >= 10
    for name in names:
        assert await eventually(partial(observed.query, name)), name


async def test_a_backlog_is_told_with_its_age(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    told_by = runtime(TelemetrySettings(prometheus=address))
    assert told_by
    async with DevServer() as server, prometheus(tmp_path, address) as running:
        client = await connect(server.address, runtime=told_by)
        for number in range(3):
            await client.start_workflow("Conversation", setup_of(), id=f"{number}", task_queue="forsaken")
        share = Share("forsaken", workflows=True, activities=(), max_concurrent=1, max_per_second=None)
        async with backlog_told(client, [share], told_by.metric_meter):
            labels = '{task_queue="forsaken", tasks="workflow"}'
            await eventually(lambda: running.number(f"parley_backlog{labels}"), lambda count: count == 3, 40)
            assert await running.number(f"parley_backlog_age{labels}") > 0


async def test_an_address_that_is_taken_is_one_line(observed: Prometheus) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(SetupError, match=r"^\[telemetry\] the metrics can't be told: .*$"):
            runtime(TelemetrySettings(prometheus=address))
