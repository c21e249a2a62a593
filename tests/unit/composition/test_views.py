"""A composite shows where each branch stands, and at the end what became of it; nothing that is shown is markup."""

import re

from pydantic import JsonValue

from signals.composition import BranchError, BranchProgress, BranchState
from tests.unit.composition.driven import BEGIN, Driven
from workflows.composition import JoinAny, JoinNOfM, call, choose, field, for_each, parallel, repeat, sequence, when
from workflows.composition.diagram import mermaid
from workflows.composition.layout import lay_out
from workflows.composition.page import page
from workflows.composition.views import MAX_LISTED, MAX_RESULTS_BYTES, progress, result, states
from workflows.markdown import escape


def shown(run: Driven, most: int = 100) -> dict[str, str]:
    return {branch.path: branch.state for branch in progress(run.machine, "R", most).branches}


def test_what_is_still_to_come_is_listed_in_the_order_of_the_plan() -> None:
    run = Driven(call("A") >> parallel("B", sequence("C", "D", name="cd")) >> for_each("E"))
    assert shown(run) == {
        "A": "running", "B": "pending", "cd": "pending", "cd/C": "pending", "cd/D": "pending", "each": "pending"
    }  # fmt: skip


def test_what_was_not_taken_is_skipped_in_the_end() -> None:
    run = Driven(when(field() > 1, "A", otherwise="B"), 3)
    run.succeed("A-1", 5)
    assert shown(run) == {"A": "succeeded", "B": "skipped"}


def test_a_branch_is_shown_with_its_child_its_times_and_its_error() -> None:
    run = Driven(call("A", name="first") >> "B")
    run.fail("first-1", "no stock")
    branch = progress(run.machine, "R", 9).branches[0]
    assert branch == BranchProgress(
        path="first",
        workflow="A",
        id="R/first-1",
        state=BranchState.FAILED,
        started=branch.started,
        ended=branch.ended,
        error=BranchError(type="Broken", message="no stock"),
    )
    assert branch.started and branch.ended and BEGIN < branch.started < branch.ended


def test_rounds_of_a_loop_are_branches_of_their_own() -> None:
    run = Driven(repeat("A", until=field() > 1, most=5), 0)
    run.succeed("A-1", 1)
    branches = progress(run.machine, "R", 9).branches
    assert [(branch.number, branch.state, branch.id) for branch in branches] == [
        (1, "succeeded", "R/A-1"),
        (2, "running", "R/A-2"),
    ]


def test_the_result_tells_of_every_branch_what_it_gave() -> None:
    run = Driven(parallel("A", "B", "C", join=JoinNOfM(n=1, cancel=True)) >> call("D"))
    run.succeed("A-1", [1])
    run.cancelled("B-1")
    run.fail("C-1")
    run.succeed("D-1", "done")
    given = result(run.machine, "done", "R")
    assert given.result == "done"
    assert [(branch.path, branch.state, branch.result) for branch in given.branches] == [
        ("A", "succeeded", [1]),
        ("B", "cancelled", None),
        ("C", "failed", None),
        ("D", "succeeded", "done"),
    ]


def test_results_that_are_too_large_to_carry_twice_are_left_out() -> None:
    run = Driven(parallel("A", "B", "C", join=JoinAny()))
    run.succeed("A-1", "x" * MAX_RESULTS_BYTES)
    given = result(run.machine, "x" * MAX_RESULTS_BYTES, "R")
    assert [(branch.result, branch.omitted) for branch in given.branches] == [
        (None, True),
        (None, False),
        (None, False),
    ]
    assert result(run.machine, "x" * 1_700_000, "R").branches[0].omitted


def test_no_more_branches_are_listed_than_can_be_carried() -> None:
    run = Driven(for_each("A", at_once=1_000), list[JsonValue](range(1_000)))
    assert len(shown(run, MAX_LISTED)) == MAX_LISTED
    assert progress(run.machine, "R", MAX_LISTED).omitted == 501


# The page


def test_the_page_shows_every_branch_and_escapes_what_people_wrote() -> None:
    run = Driven(call("A") >> "B")
    wrote = "<script>alert(1)</script> | [link](http://x)"
    run.fail("A-1", wrote)
    text = page("Composite", progress(run.machine, "R", 9))
    assert f"failed: **{escape(wrote)}**" in text
    assert "<script>" not in text
    assert "skipped" in text
    assert "Done · 0 of 2 branches succeeded" in text


def test_the_page_says_how_much_it_leaves_out() -> None:
    run = Driven(for_each("A"), list[JsonValue](range(50)))
    assert "and 41 more" in page("Composite", progress(run.machine, "R", 10))


# The diagram


def test_every_kind_of_plan_is_drawn() -> None:
    plan = (
        call("A")
        >> parallel("B", call("C", name="c"), join=JoinNOfM(n=1))
        >> when(field("n") > 3, "D")
        >> choose("by_size", "E", "F")
        >> repeat("G", until=field("n") > 3, most=4)
        >> for_each("H", items="lines", name="lines")
    )
    assert mermaid(lay_out(plan)).splitlines() == [
        "flowchart TD",
        "    input([input])",
        '    n1["A"]',
        "    input --> n1",
        '    n2{{"at the same time"}}',
        "    n1 --> n2",
        '    n3["B"]',
        "    n2 --> n3",
        '    n4["c<br/><small>C</small>"]',
        "    n2 --> n4",
        '    n2_join{{"1 must succeed"}}',
        "    n3 --> n2_join",
        "    n4 --> n2_join",
        '    n5{"n gt 3?"}',
        "    n2_join --> n5",
        '    n6["D"]',
        '    n5 -->|"yes"| n6',
        '    n7{"by_size"}',
        "    n6 --> n7",
        '    n5 -->|"no"| n7',
        '    n8["E"]',
        '    n7 -->|"E"| n8',
        '    n9["F"]',
        '    n7 -->|"F"| n9',
        '    n10{{"at most 4 rounds"}}',
        "    n8 --> n10",
        "    n9 --> n10",
        '    n10_until{"n gt 3?"}',
        '    n11["G"]',
        "    n10 --> n11",
        "    n11 --> n10_until",
        '    n10_until -->|"no"| n10',
        '    n12{{"lines#58; for each of lines"}}',
        '    n10_until -->|"yes"| n12',
        '    n13["H"]',
        '    n12 -->|"each"| n13',
        '    n12_join{{"all must succeed"}}',
        "    n13 --> n12_join",
        "    n12_join --> result",
        "    result([result])",
    ]


def test_the_diagram_of_a_run_shows_states() -> None:
    run = Driven(parallel("A", "B", join=JoinAny(cancel=True)) >> when(field() > 5, "C"))
    run.succeed("A-1", 1)
    run.cancelled("B-1")
    drawn = mermaid(run.machine.part, states(run.machine)).splitlines()
    assert "    class n2 succeeded" in drawn
    assert "    class n3 cancelled" in drawn
    assert "    class n5 skipped" in drawn


def test_a_branch_that_still_runs_for_some_is_shown_as_running() -> None:
    run = Driven(for_each("A"), [1, 2, 3])
    run.succeed("each/3/A-1", 1)
    assert states(run.machine)[1] is BranchState.RUNNING


def test_no_text_of_a_plan_is_markup_in_the_diagram() -> None:
    evil = 'x"]; click n1 "javascript:alert(1)" <img src=x>\n%% `b`'
    text = mermaid(lay_out(when(field("a") == evil, "A")))
    label = re.search(r'n0\{"(.*)"\}', text)
    assert label is not None
    assert set(re.sub(r"#\d+;", "", label[1])) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,_-?…"
    )
