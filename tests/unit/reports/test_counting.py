"""What a report counts, of runs that are made up."""

from datetime import UTC, datetime, timedelta
from itertools import count

from infra.reports.counting import MOST_ROWS, Counting
from infra.reports.facts import Ending, Move, Part, Span, Talk
from infra.reports.tallies import CostRow, Count, Durations, Endings, Report, TransitionRow
from signals.adaptive import Selection
from signals.conversation import Tokens
from signals.modes import Mode, Paradigm
from signals.run import HeldFor

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
_NUMBERS = count(1)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def part(workflow: str = "Refund", ending: Ending = Ending.COMPLETED, **known: object) -> Part:
    """A run of its own, from noon to ten past."""
    name = f"run-{next(_NUMBERS)}"
    facts: dict[str, object] = {
        "id": name,
        "run": name,
        "chain": name,
        "origin": name,
        "workflow": workflow,
        "ending": ending,
        "listed": NOON,
        "started": NOON,
        "closed": None if ending is Ending.OPEN else at(10),
        **known,
    }
    return Part(**facts)  # type: ignore[arg-type]  # whatever a test says of it


def counted(*parts: Part) -> Report:
    """What is counted of some runs at one o'clock."""
    counting = Counting(at(60))
    for one in parts:
        counting.add(one)
    return counting.report("default", "", more=False)


def selection(paradigm: Paradigm, *reasons: str) -> Selection:
    return Selection(paradigm=paradigm, start=Mode.WORKFLOW, reasons=reasons, confidence=1)


def test_runs_are_counted_by_type_and_how_they_ended() -> None:
    talked = (("a/refused-1", Talk(Ending.COMPLETED, True)),)
    report = counted(
        part(talks=talked), part(ending=Ending.FAILED), part("OrderStatus", Ending.OPEN), part(ending=Ending.STOPPED)
    )
    refund, order = report.workflows
    assert (refund.workflow, refund.ended, refund.talked) == ("Refund", Endings(completed=1, failed=1, stopped=1), 1)
    assert refund.took == Durations(count=1, total=600, median=600, longest=600)
    assert (order.ended, order.took, order.ended.success) == (Endings(open=1), Durations(), None)
    assert (report.runs, refund.ended.success) == (4, 1 / 3)


def test_paradigms_are_counted_with_their_reasons_the_most_frequent_first() -> None:
    clear, unsure = "its steps are clear", "nothing speaks against it"
    report = counted(
        part(selection=selection(Paradigm.WORKFLOW, unsure)),
        part(selection=selection(Paradigm.WORKFLOW, clear), ending=Ending.FAILED),
        part(selection=selection(Paradigm.WORKFLOW, clear)),
        part(selection=selection(Paradigm.HYBRID, "both")),
        part(),
    )
    steps, both = report.paradigms
    assert (steps.paradigm, steps.ended) == ("workflow", Endings(completed=2, failed=1))
    assert steps.reasons == (Count(text=clear, count=2), Count(text=unsure, count=1))
    assert (both.paradigm, both.ended.success) == ("hybrid", 1)


def test_time_in_a_mode_ends_with_the_run_or_now() -> None:
    over = part(stays=(Span("workflow", at(0), at(2)), Span("conversation", at(2))))
    lasting = part(ending=Ending.OPEN, stays=(Span("conversation", at(30)),))
    conversation, workflow = counted(over, lasting).modes
    assert (conversation.mode, conversation.ended) == ("conversation", Endings(completed=1, open=1))
    assert conversation.stays == Durations(count=2, total=38 * 60, median=19 * 60, longest=30 * 60)
    assert (workflow.mode, workflow.stays.total) == ("workflow", 120)


def test_a_run_counts_once_for_a_mode_that_it_was_in_twice() -> None:
    stays = tuple(Span(mode, at(n), at(n + 1)) for n, mode in enumerate(("workflow", "conversation", "workflow")))
    conversation, workflow = counted(part(stays=stays)).modes
    assert (workflow.ended.runs, workflow.stays.count) == (1, 2)
    assert (conversation.ended.runs, conversation.stays.count) == (1, 1)


def test_changes_of_mode_are_counted_with_what_they_came_to() -> None:
    there = Move("workflow", "conversation", "point", "a/refused-1")
    back = Move("conversation", "workflow", "closed", "a/refused-1")
    report = counted(
        part(moves=(there, back), talks=(("a/refused-1", Talk(Ending.COMPLETED, True)),)),
        part(moves=(there, back), talks=(("a/refused-1", Talk(Ending.FAILED)),), ending=Ending.FAILED),
        part(moves=(there,), talks=(("a/refused-1", Talk(Ending.OPEN)),), ending=Ending.OPEN),
        part(moves=(there, back), talks=(("a/refused-1", Talk(Ending.COMPLETED, None)),)),
    )
    into, out = report.transitions
    assert into == TransitionRow(
        trigger="point",
        source="workflow",
        target="conversation",
        count=4,
        decided=1,
        undecided=1,
        talking=1,
        ended=Endings(completed=2, failed=1, open=1),
    )
    assert (out.trigger, out.count, out.ended) == ("closed", 3, Endings(completed=2, failed=1))


def test_what_the_result_tells_of_the_changes_is_taken_for_what_was_read() -> None:
    read = Move("conversation", "workflow", "closed")
    told = Move("conversation", "workflow", "outcome")
    [row] = counted(part("Adaptive", moves=(read,), told=(told,))).transitions
    assert row.trigger == "outcome"


def test_changes_whose_trigger_is_not_known_are_counted_by_themselves() -> None:
    moves = tuple(Move("workflow", "conversation", trigger) for trigger in ("point", None, "point"))
    assert [(row.trigger, row.count) for row in counted(part(moves=moves)).transitions] == [("point", 2), (None, 1)]


def test_waiting_is_counted_by_place_and_person_the_longest_first() -> None:
    about = HeldFor(workflow="CustomerSupport", step="handled", point="refused")
    held = part("Conversation", held_for=about, waits=(Span("bob", at(0), at(1)), Span("ann", at(1), at(9))))
    still = part("Conversation", Ending.OPEN, held_for=about, waits=(Span("bob", at(58)),))
    alone = part("Conversation", waits=(Span("bob", at(4)),))
    ann, by_itself, bob = counted(held, still, alone).waits
    assert (ann.person, ann.workflow, ann.step, ann.point) == ("ann", "CustomerSupport", "handled", "refused")
    assert (by_itself.person, by_itself.workflow, by_itself.waits.total, by_itself.waiting) == ("bob", None, 360, 0)
    assert (bob.person, bob.waits.count, bob.waits.total, bob.waits.longest, bob.waiting) == ("bob", 2, 180, 120, 1)


def test_a_conversation_that_a_run_holds_is_no_run_and_one_by_itself_is() -> None:
    held = part("Conversation", held_for=HeldFor(workflow="Refund", step=None, point="switch"))
    report = counted(held, part("Conversation"), part())
    assert (report.runs, report.all_conversations.conversations) == (2, 2)
    assert [row.workflow for row in report.workflows] == ["Conversation", "Refund"]


def test_what_conversations_cost_is_summed_up_and_the_dearest_are_named() -> None:
    talks = [
        part("Conversation", tokens=Tokens(input=n, output=1), cost=n / 10, events=10, bytes=100)
        for n in range(MOST_ROWS + 5)
    ]
    report = counted(*talks)
    assert len(report.conversations) == MOST_ROWS
    dearest = report.conversations[0]
    assert dearest == CostRow(
        conversation=talks[-1].id, tokens=Tokens(input=MOST_ROWS + 4, output=1), cost=10.4, events=10, bytes=100
    )
    totals = report.all_conversations
    assert (totals.conversations, totals.tokens.input, totals.tokens.output) == (105, sum(range(105)), 105)
    assert (totals.events, totals.bytes) == (1050, 10500)


def test_the_parts_of_a_run_that_continued_as_new_are_one_run_in_whatever_order_they_come() -> None:
    first = part(
        "Conversation",
        Ending.CONTINUED,
        id="talk",
        chain="1",
        run="1",
        closed=at(5),
        stays=(Span("conversation", at(0)),),
        waits=(Span("ann", at(1), at(2)), Span("bob", at(3))),
        tokens=Tokens(input=1),
        events=100,
    )
    second = part(
        "Conversation",
        id="talk",
        chain="1",
        run="2",
        listed=at(5),
        started=at(5),
        closed=at(10),
        stays=(Span("conversation", at(5)),),
        waits=(Span("bob", at(5), at(8)),),
        tokens=Tokens(input=2),
        events=11,
    )
    for parts in ((first, second), (second, first)):
        report = counted(*parts)
        [workflow], [mode], [conversation] = report.workflows, report.modes, report.conversations
        assert (workflow.ended, workflow.took.total) == (Endings(completed=1), 600)
        assert mode.stays == Durations(count=1, total=600, median=600, longest=600)
        assert {wait.person: (wait.waits.count, wait.waits.total) for wait in report.waits} == {
            "ann": (1, 60),
            "bob": (1, 300),
        }
        assert (conversation.tokens.input, conversation.events) == (3, 111)


def test_a_run_whose_end_was_left_out_is_open() -> None:
    assert counted(part(ending=Ending.CONTINUED)).workflows[0].ended == Endings(open=1)


def test_a_run_that_was_reset_counts_as_it_went_on() -> None:
    before = part(ending=Ending.STOPPED, id="a", run="1", chain="1", origin="1", moves=(Move("x", "y", "point"),))
    after = part(id="a", run="2", chain="1", origin="1", listed=at(9))
    report = counted(before, after)
    assert (report.runs, report.workflows[0].ended, report.transitions) == (1, Endings(completed=1), ())


def test_what_is_left_out_is_counted_by_name() -> None:
    counting = Counting(NOON)
    for workflow in ("Other", "Invoice", "Other"):
        counting.add_foreign(workflow)
    counting.add_unread("there is no key '2026'")
    report = counting.report("default", "", more=True)
    assert (report.runs, report.foreign, report.more) == (0, {"Other": 2, "Invoice": 1}, True)
    assert report.unread == {"there is no key '2026'": 1}
