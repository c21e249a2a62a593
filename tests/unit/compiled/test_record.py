"""A run's record: what may start, where each step stands, and in which mode the run is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.context import CoreState, UniversalContext, WorkflowState
from signals.conversation import ConversationResult, StopReason, Tokens
from signals.modes import Mode, Trigger
from signals.run import ConversationRecord, StepProgress, StepStatus
from tests.unit.compiled.plans import NOW, plan
from workflows.compiled.record import Move, RunRecord, usual_end
from workflows.compiled.settlement import NoOutcome, Settled

LATER = NOW + timedelta(minutes=1)
TALK = "r/refused-1"


@pytest.fixture
def record() -> RunRecord:
    return RunRecord.begin("r", plan())


def finish(record: RunRecord, *steps: str) -> None:
    for name in steps:
        record.begun(name, NOW)
        record.finished(name, NOW)


def open_talk(record: RunRecord, step: str = "approval", conversation: str = TALK) -> None:
    record.waits(step)
    opened = ConversationRecord(id=conversation, step=step, point="refused", opened=NOW, because="too much")
    record.opened(opened, Move(record.beside, Trigger.POINT, "too much", cause="RefusedByPolicy"))


def ended(stop: StopReason = StopReason.DECISION) -> ConversationResult:
    return ConversationResult(
        conversation=TALK,
        stop=stop,
        reason="bob decided",
        outcome=5,
        decided_by=("bob",),
        evidence=(3,),
        turns=2,
        messages=3,
        started=NOW,
        ended=LATER,
        tokens=Tokens(),
    )


def close_talk(record: RunRecord, conversation: str = TALK) -> None:
    settled = Settled(value=5, outcome=5, fallback=False)
    record.closed(conversation, LATER, ended(), settled, usual_end(ended()))


# Steps


def test_at_first_what_needs_nothing_may_start(record: RunRecord) -> None:
    assert record.ready() == ["order"]


def test_a_step_may_start_when_what_it_needs_is_done(record: RunRecord) -> None:
    record.begun("order", NOW)
    assert record.ready() == []
    record.finished("order", NOW)
    assert record.ready() == ["approval"]
    finish(record, "approval")
    assert record.ready() == ["receipt"]


def test_a_step_that_was_left_out_counts_as_done(record: RunRecord) -> None:
    record.begun("order", NOW)
    record.skipped("order")
    assert record.ready() == ["approval"]


def test_what_waits_or_failed_is_not_done(record: RunRecord) -> None:
    finish(record, "order")
    record.begun("approval", NOW)
    record.waits("approval")
    assert record.ready() == []
    record.failed("approval", LATER, "no")
    assert record.ready() == []


def test_a_step_on_demand_never_starts_by_itself(record: RunRecord) -> None:
    finish(record, "order", "approval", "receipt")
    assert record.ready() == []


@given(st.permutations(["order", "approval", "receipt"]))
def test_what_may_start_needs_nothing_that_is_not_done(order: list[str]) -> None:
    record = RunRecord.begin("r", plan())
    for _ in order:
        for name in record.ready():
            assert all(record.steps[need].status is StepStatus.DONE for need in record.plan.step(name).needs)
            finish(record, name)
    assert {name for name in record.steps if not record.is_pending(name)} == {"order", "approval", "receipt"}


def test_progress_says_what_happened_to_each_step(record: RunRecord) -> None:
    record.begun("order", NOW)
    record.tried("order")
    record.tried("order")
    record.failed("order", LATER, "no such order")
    order, *others = record.progress().steps
    assert (order.status, order.attempts, order.error) == (StepStatus.FAILED, 2, "no such order")
    assert (order.started, order.ended) == (NOW, LATER)
    assert {step.status for step in others} == {StepStatus.PENDING}


def test_a_step_that_is_tried_again_after_a_conversation_runs(record: RunRecord) -> None:
    record.begun("approval", NOW)
    record.waits("approval")
    record.tried("approval")
    assert record.steps["approval"].status is StepStatus.RUNNING


def test_what_was_not_needed_is_skipped_at_the_end(record: RunRecord) -> None:
    finish(record, "order", "approval", "receipt")
    assert not record.progress().done
    record.completed()
    assert record.progress().done
    assert record.steps["expert"].status is StepStatus.SKIPPED
    assert record.steps["receipt"].status is StepStatus.DONE


def test_what_is_under_way_when_the_run_breaks_off_is_cancelled(record: RunRecord) -> None:
    finish(record, "order")
    record.begun("approval", NOW)
    open_talk(record)
    record.begun("expert", NOW)
    record.broken_off(LATER)
    assert {name: step.status for name, step in record.steps.items()} == {
        "order": StepStatus.DONE,
        "approval": StepStatus.CANCELLED,
        "expert": StepStatus.CANCELLED,
        "receipt": StepStatus.PENDING,
    }
    assert [talk.closed for talk in record.conversations] == [LATER]


def test_what_was_done_is_taken_back_the_latest_first(record: RunRecord) -> None:
    finish(record, "order", "expert", "approval")
    record.failed("expert", LATER, "no")
    assert record.to_compensate() == ["approval", "order"]
    record.compensated("approval")
    assert record.steps["approval"].status is StepStatus.COMPENSATED
    assert record.to_compensate() == ["order"]


def test_what_can_t_be_taken_back_stays_done_and_says_why(record: RunRecord) -> None:
    finish(record, "order")
    record.compensated("order", error="the books are closed")
    assert (record.steps["order"].status, record.steps["order"].error) == (StepStatus.DONE, "the books are closed")


# What is begun anew


def statuses(record: RunRecord) -> dict[str, StepStatus]:
    return {name: progress.status for name, progress in record.steps.items()}


def test_a_step_that_is_withdrawn_may_begin_anew_when_nothing_is_lacking(record: RunRecord) -> None:
    finish(record, "order")
    record.begun("approval", NOW)
    record.tried("approval")
    record.withdrawn("approval")
    assert record.ready() == ["approval"]
    again = record.steps["approval"]
    assert (again.status, again.started, again.attempts) == (StepStatus.PENDING, None, 1)


def test_a_step_that_waits_for_a_conversation_is_withdrawn_like_one_that_runs(record: RunRecord) -> None:
    finish(record, "order")
    record.begun("approval", NOW)
    open_talk(record)
    record.withdrawn("approval")
    record.withdrawn("approval")
    assert record.ready() == ["approval"]


def test_going_on_at_a_step_runs_it_and_all_that_needs_it_anew_and_nothing_else(record: RunRecord) -> None:
    finish(record, "order", "approval", "receipt")
    record.rewound({"approval", "receipt"}, set(), set(), LATER)
    assert record.ready() == ["approval"]
    assert record.steps["order"].status is StepStatus.DONE
    assert record.steps["approval"].ended is None
    assert record.finishing == ["order"]


def test_what_is_decided_is_done_whatever_it_was(record: RunRecord) -> None:
    finish(record, "order")
    record.failed("approval", NOW, "no")
    record.rewound(set(), {"approval"}, set(), LATER)
    approval = record.steps["approval"]
    assert (approval.status, approval.ended, approval.error) == (StepStatus.DONE, LATER, None)
    assert record.ready() == ["receipt"]


def test_what_is_decided_anew_counts_once_and_in_its_old_place(record: RunRecord) -> None:
    finish(record, "order", "expert", "approval")
    record.rewound(set(), {"order"}, set(), LATER)
    assert record.to_compensate() == ["approval", "expert", "order"]


def test_what_is_left_behind_is_skipped_and_lets_others_start(record: RunRecord) -> None:
    record.failed("order", NOW, "no")
    record.rewound({"receipt"}, set(), {"order", "approval"}, LATER)
    assert record.ready() == ["receipt"]
    assert statuses(record)["order"] is StepStatus.SKIPPED
    assert record.to_compensate() == []


def test_what_failed_is_run_anew_without_its_error(record: RunRecord) -> None:
    record.failed("order", NOW, "no")
    record.rewound({"order"}, set(), set(), LATER)
    assert (record.ready(), record.steps["order"].error) == (["order"], None)


def test_a_run_that_was_done_is_so_no_longer_when_steps_are_run_anew(record: RunRecord) -> None:
    finish(record, "order", "approval", "receipt")
    record.completed()
    record.rewound({"receipt"}, set(), set(), LATER)
    assert not record.done


STEPS = ["order", "approval", "expert", "receipt"]


@given(st.data())
def test_whatever_is_taken_back_what_may_start_lacks_nothing_and_nothing_done_starts(data: st.DataObject) -> None:
    record = RunRecord.begin("r", plan())
    for _ in range(data.draw(st.integers(1, 12))):
        match data.draw(st.sampled_from(["finish", "fail", "withdraw", "rewind", "skip"])):
            case "finish" if record.ready():
                finish(record, data.draw(st.sampled_from(record.ready())))
            case "fail" if record.ready():
                name = data.draw(st.sampled_from(record.ready()))
                record.begun(name, NOW)
                record.failed(name, NOW, "no")
            case "withdraw" if record.ready():
                name = data.draw(st.sampled_from(record.ready()))
                record.begun(name, NOW)
                record.withdrawn(name)
            case "skip" if record.ready():
                record.skipped(data.draw(st.sampled_from(record.ready())))
            case "rewind":
                target = data.draw(st.sampled_from(STEPS))
                decided = set(data.draw(st.lists(st.sampled_from(STEPS))))
                record.rewound(record.plan.after(target) - decided, decided, set(), LATER)
        for name in record.ready():
            assert record.is_pending(name)
            assert record.are_done(record.plan.step(name).needs)
            assert not record.plan.step(name).on_demand
        could = [step for step in record.plan.steps if record.is_pending(step.name) and not step.on_demand]
        assert record.ready() == [step.name for step in could if record.are_done(step.needs)]
        done = {name for name, status in statuses(record).items() if status is StepStatus.DONE}
        assert sorted(record.to_compensate()) == sorted(done)


# From the context of another run


def taken_up(*done: str, steps: tuple[StepProgress, ...] = (), **more: object) -> RunRecord:
    """The record of a run that goes on from another one."""
    context = UniversalContext.model_validate(
        {"core_state": CoreState(goal="x"), "mode_state": WorkflowState(steps=steps), **more}
    )
    record = RunRecord.begin("r2", plan())
    record.taken_up(context, done)
    return record


def test_a_run_goes_on_where_another_one_stood() -> None:
    was = StepProgress(step="order", status=StepStatus.DONE, started=NOW, ended=LATER, attempts=2)
    record = taken_up("order", steps=(was,))
    assert record.steps["order"] == was
    assert record.ready() == ["approval"]
    assert record.to_compensate() == ["order"]


def test_what_was_under_way_or_failed_there_begins_anew() -> None:
    failed = StepProgress(step="approval", status=StepStatus.FAILED, error="no", attempts=3)
    record = taken_up("order", steps=(failed,))
    assert statuses(record)["approval"] is StepStatus.PENDING


def test_what_was_left_out_there_stays_so_and_is_never_taken_back() -> None:
    record = taken_up("order", "approval", steps=(StepProgress(step="approval", status=StepStatus.SKIPPED),))
    assert statuses(record)["approval"] is StepStatus.SKIPPED
    assert record.ready() == ["receipt"]
    assert record.to_compensate() == ["order"]


def test_an_open_conversation_stays_with_the_run_that_opened_it(record: RunRecord) -> None:
    open_talk(record)
    open_talk(record, "receipt", "r/other-1")
    close_talk(record)
    new = taken_up(conversations=tuple(record.conversations), transitions=tuple(record.transitions))
    assert [one.id for one in new.conversations] == [TALK]
    assert (new.transitions, new.mode) == (record.transitions, Mode.WORKFLOW)


# Conversations and modes


def test_a_run_that_waits_for_people_is_in_conversation(record: RunRecord) -> None:
    record.begun("approval", NOW)
    open_talk(record)
    assert record.mode is Mode.CONVERSATION
    [change] = record.transitions
    assert (change.source, change.target, change.at) == (Mode.WORKFLOW, Mode.CONVERSATION, NOW)
    assert (change.trigger, change.cause, change.reason) == (Trigger.POINT, "RefusedByPolicy", "too much")


def test_a_run_in_which_other_steps_go_on_is_hybrid(record: RunRecord) -> None:
    record.begun("order", NOW)
    record.begun("approval", NOW)
    open_talk(record)
    assert record.mode is Mode.HYBRID


def test_after_its_last_conversation_a_run_is_a_workflow_again(record: RunRecord) -> None:
    open_talk(record)
    open_talk(record, "receipt", "r/other-1")
    close_talk(record)
    assert record.progress().mode is Mode.CONVERSATION
    close_talk(record, "r/other-1")
    assert record.progress().mode is Mode.WORKFLOW
    assert [(change.trigger, change.cause, change.reason) for change in record.transitions] == [
        (Trigger.POINT, "RefusedByPolicy", "too much"),
        (Trigger.CLOSED, StopReason.DECISION, "bob decided"),
    ]


def test_a_conversation_s_record_says_what_it_gave(record: RunRecord) -> None:
    open_talk(record)
    assert record.open_conversations == record.conversations
    close_talk(record)
    [talk] = record.conversations
    assert record.open_conversations == []
    assert (talk.closed, talk.stop, talk.outcome, talk.fallback) == (LATER, StopReason.DECISION, 5, False)
    assert (talk.decided_by, talk.evidence, talk.turns) == (("bob",), (3,), 2)


def test_a_conversation_that_failed_has_a_record_too(record: RunRecord) -> None:
    open_talk(record)
    record.closed(TALK, LATER, "terminated", Settled(value=7, outcome=7, fallback=True), usual_end("terminated"))
    [talk] = record.conversations
    assert (talk.closed, talk.stop, talk.outcome, talk.fallback) == (LATER, None, 7, True)
    last = record.transitions[-1]
    assert (last.trigger, last.cause, last.reason) == (Trigger.CLOSED, "failed", "terminated")


def test_a_conversation_without_an_outcome_gives_none(record: RunRecord) -> None:
    open_talk(record)
    silent = ended(StopReason.TIMEOUT)
    record.closed(TALK, LATER, silent, NoOutcome("nobody decided"), usual_end(silent))
    [talk] = record.conversations
    assert (talk.stop, talk.outcome, talk.fallback) == (StopReason.TIMEOUT, None, False)


def test_steps_are_given_the_record_up_to_then(record: RunRecord) -> None:
    open_talk(record)
    before = record.so_far()
    close_talk(record)
    assert (before.id, before.mode, len(before.conversations)) == ("r", Mode.CONVERSATION, 1)
    assert before.conversations[0].closed is None
    assert record.so_far().conversations[0].closed == LATER
