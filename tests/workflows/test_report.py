"""`temporal parley report`, over real runs: its numbers are those of what was done."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import Client

from activities.relay import RelayActivities
from infra.connection import connect
from infra.devserver import DevServer
from infra.payloads.converter import data_converter
from infra.payloads.keys import Key
from infra.reports.tallies import Endings, Report
from signals.adaptive import AdaptiveRequest, AdaptiveResult
from signals.assistant import Reply, ReplyRequest
from signals.conversation import ConversationResult, Tokens
from signals.messages import SwitchMode, Turn
from signals.modes import Mode
from signals.names import WorkflowType
from signals.participants import Kind, Participant
from signals.run import Progress, Transition
from signals.support import Customer, SupportRequest
from tests.flows import modes, shop
from tests.flows.modes import BOB
from tests.flows.steps import Agency, Trip
from tests.harness import eventually, running_worker
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms
from tests.workflows.sealed import sealing, variables
from tests.workflows.shell import command
from tests.workflows.talks import Talks
from tests.workflows.test_adaptive import CLEAR, OPEN
from workflows.conversation.stubs import Assistant
from workflows.conversation.workflow import Conversation
from workflows.library import WORKFLOWS
from workflows.modes.adaptive import Adaptive

USED = Tokens(input=100, output=7)
PRICE = 0.25
KEY = Key.new("2026")


class Dear(Assistant):
    """Has its price."""

    @activity.defn(name="reply")
    async def reply(self, request: ReplyRequest) -> Reply:
        return Reply(text="I see.", model="test", tokens=USED, cost=PRICE)


@dataclass(frozen=True)
class Done:
    """What was done on a server."""

    server: DevServer
    client: Client
    runs: dict[str, str]
    """Workflow ids, by name."""

    async def transitions(self) -> list[Transition]:
        """The changes of mode of all runs, as they tell them themselves."""
        told: list[Transition] = []
        for name in self.runs.values():
            progress: Progress = await self.client.get_workflow_handle(name).query("progress", result_type=Progress)
            told += progress.transitions
        return told


async def report(done: Done, *words: str, **more: str) -> Report:
    told = await command(done.server, "report", "--json", *words, more=more)
    assert (told.status, told.errors) == (0, "")
    return Report.model_validate_json(told.output)


@pytest.fixture(scope="module")
async def done() -> AsyncIterator[Done]:
    """Some runs: two whose paradigm was chosen, one that was switched, one that policy refused, one by itself."""
    async with DevServer() as server:
        client = await connect(server.address)
        agency, relay = Agency(), RelayActivities(client)
        activities = [
            *(one for one in shop.activities() if one.__name__ != "reply"),
            *(*agency.activities, relay.pass_on, relay.fetch_result, Dear().reply),
        ]
        flows = {*WORKFLOWS, *modes.FLOWS, Conversation, Adaptive}
        async with running_worker(client, list(flows), activities) as queue:
            talks = Talks(client, queue)
            runs = {
                "clear": await _by_steps(talks),
                "open": await _by_talking(talks),
                "switched": await _switched(talks, agency),
                "refused": await _refused(talks),
            }
            alone = await Rooms(client, queue).open(ANN, BEN, coordination=FREE_FORM)
            await alone.begun()
            await client.start_workflow("Invoice", id="invoice", task_queue="nobody")
            # Those, the conversations of three, two refunds, the conversation by itself, the invoice.
            await eventually(client.count_workflows, lambda listed: listed.count == 4 + 3 + 2 + 1 + 1)
            await eventually(lambda: _open(client), lambda ids: ids == {alone.id, "invoice"})
            yield Done(server, client, runs)


async def _open(client: Client) -> set[str]:
    return {execution.id async for execution in client.list_workflows('ExecutionStatus="Running"')}


async def _by_steps(talks: Talks) -> str:
    run = await talks.start("Adaptive", _task({"workflow": "Journey", "input": {"place": "Rome"}, "traits": CLEAR}))
    await run.result()
    return run.id


async def _by_talking(talks: Talks) -> str:
    run = await talks.start("Adaptive", _task({"workflows": ["Journey"], "traits": OPEN}))
    conversation = Room(talks.client, f"{run.id}/talk-1")
    await eventually(lambda: talks.client.count_workflows(f'WorkflowId="{conversation.id}"'), lambda found: found.count)
    await talks.decide(conversation.id, {"workflow": "Journey", "input": {"place": "Oslo"}})
    await run.result()
    return run.id


async def _switched(talks: Talks, agency: Agency) -> str:
    run = await talks.start("Journey", Trip(place="Rome", slow=("room",)))
    await eventually(lambda: talks.step(run, "room"), lambda step: step.status == "running")
    await run.signal("switch_mode", SwitchMode(to=Mode.CONVERSATION, requested_by="bob"))
    agency.let_go(run.id, "room")
    [about] = await talks.opened(run)
    await talks.decide(about.id, {"resume_at": "tickets"})
    await run.result()
    return run.id


async def _refused(talks: Talks) -> str:
    customer = Customer(id="C-1", name="Alice", email="alice@example.com")
    run = await talks.start(WorkflowType.CUSTOMER_SUPPORT, SupportRequest(customer=customer, text="Refund A-1002"))
    [opened] = await talks.opened(run)
    await run.signal("turn", Turn(speaker="C-1", text="It arrived broken."))
    await Room(talks.client, opened.id).until(lambda status: status.tokens.output)
    await talks.decide(opened.id, {"action": "refund", "order_id": "A-1002", "amount": "180.00"})
    await run.result()
    return run.id


def _task(task: dict[str, object]) -> AdaptiveRequest:
    return AdaptiveRequest.model_validate({"task": {"goal": "Go somewhere", **task}, "participants": [BOB]})


async def test_runs_are_counted_by_how_they_ended_and_other_programs_are_named(done: Done) -> None:
    told = await report(done)
    assert {row.workflow: row.ended for row in told.workflows} == {
        "Adaptive": Endings(completed=2),
        "Journey": Endings(completed=1),
        "CustomerSupport": Endings(completed=1),
        "Refund": Endings(completed=1, failed=1),
        "Conversation": Endings(open=1),
    }
    assert (told.runs, told.foreign, told.unread, told.more) == (7, {"Invoice": 1}, {}, False)


async def test_paradigms_are_told_with_the_reasons_of_the_choice(done: Done) -> None:
    told = {row.paradigm: row for row in (await report(done)).paradigms}
    for name in ("clear", "open"):
        given = await done.client.get_workflow_handle(done.runs[name]).result()
        result = AdaptiveResult.model_validate(given)
        row = told[result.paradigm]
        assert {one.text for one in row.reasons} >= set(result.reasons)
    assert {name: row.ended.completed for name, row in told.items()} == {"workflow": 2, "conversation": 1}


async def test_changes_of_mode_are_those_that_the_runs_tell_themselves(done: Done) -> None:
    told = await report(done)
    changes = await done.transitions()
    assert {(row.trigger, row.source, row.target): row.count for row in told.transitions} == Counter(
        (one.trigger, one.source, one.target) for one in changes
    )
    assert all(
        (row.decided, row.undecided, row.talking, row.ended.completed) == (row.count, 0, 0, row.count)
        for row in told.transitions
    )
    into = [one for one in changes if one.target is Mode.CONVERSATION]
    back = [one for one in changes if one.source is Mode.CONVERSATION]
    [talked] = [row for row in told.modes if row.mode == "conversation"]
    spent = sum((end.at - begin.at).total_seconds() for begin, end in zip(into, back, strict=True))
    alone = talked.stays.longest or 0  # it is open still
    assert (talked.ended, talked.stays.count) == (Endings(completed=3, open=1), 4)
    assert talked.stays.total - alone == pytest.approx(spent, abs=1)


async def test_waiting_and_cost_are_those_of_the_conversation(done: Done) -> None:
    told = await report(done)
    handle = done.client.get_workflow_handle_for(Conversation.run, f"{done.runs['refused']}/refused-1")
    result: ConversationResult = await handle.result()
    [cost] = [row for row in told.conversations if row.conversation == handle.id]
    assert (cost.tokens, cost.cost, result.tokens) == (USED, PRICE, USED)
    assert (cost.workflow, cost.point) == ("CustomerSupport", "refused")
    assert cost.events == len((await handle.fetch_history()).events)
    assert told.conversations[0] == cost
    totals = told.all_conversations
    assert (totals.conversations, totals.tokens, totals.cost) == (4, USED, PRICE)
    waits = {row.person: row for row in told.waits if row.workflow == "CustomerSupport"}
    assert {(row.step, row.point) for row in waits.values()} == {("handled", "refused")}
    assert {"C-1", "bob"} <= waits.keys()
    assert 0 < waits["bob"].waits.total <= (result.ended - result.started).total_seconds() + 1
    assert {row.person: row.waiting for row in told.waits if row.workflow is None} == {"ann": 1, "ben": 1}


async def test_only_the_runs_that_are_asked_for_are_counted(done: Done) -> None:
    assert (await report(done, "--query", 'WorkflowType="Refund"')).runs == 2
    assert (await report(done, "--since", "1h", "--query", 'WorkflowType="Refund" OR WorkflowType="Journey"')).runs == 3
    assert (await report(done, "--since", "2100-01-01")).runs == 0
    few = await report(done, "--query", 'WorkflowType="Refund"', "--limit", "1")
    assert (few.runs, few.more) == (1, True)


async def test_the_tables_and_the_page_are_written(done: Done, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    told = await command(done.server, "report", "--html", str(file))
    assert told.status == 0
    assert "What moved runs, and how that ended" in told.output
    assert str(file) in told.errors
    assert "<h2>Cost by conversation</h2>" in file.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--query", "Nonsense = 1"), "can't be searched"),
        (("--since", "yesterday"), "is no time"),
        (("--limit", "0"), "is no number of runs"),
        (("--html", "/nowhere/report.html"), "can't be written"),
    ],
)
async def test_what_can_not_be_done_is_said_in_a_line(done: Done, words: tuple[str, ...], said: str) -> None:
    told = await command(done.server, "report", *words)
    assert told.status != 0
    assert said in told.errors
    assert "Traceback" not in told.errors


async def test_what_is_encrypted_is_read_with_the_keys_and_counted_without() -> None:
    async with DevServer() as server:
        client = await connect(server.address, data_converter(sealing(KEY)))
        bot = Participant(id="bot", kind=Kind.AI, role="assistant")
        async with running_worker(client, [Conversation, *modes.FLOWS], [Dear().reply]) as queue:
            room = await Rooms(client, queue).open(ANN, bot, coordination=FREE_FORM)
            await room.say("ann", "Hello")
            await room.until(lambda status: status.tokens.output)
            await room.close()
            await eventually(lambda: _open(client), lambda ids: not ids)
        done = Done(server, client, {})
        keyed, keyless = await report(done, **variables(KEY)), await report(done)
    assert (keyed.all_conversations.tokens, keyed.unread) == (USED, {})
    assert keyless.all_conversations.tokens == Tokens()
    assert (keyless.runs, [row.person for row in keyless.waits]) == (1, ["ann"])
    [(reason, count)] = keyless.unread.items()
    assert ("2026" in reason, count) == (True, 1)
