"""The graph of a plan, as Mermaid reads it."""

import keyword

import pytest

from signals.run import StepStatus
from tests.unit.compiled.plans import arguments, plan, planned
from workflows.compiled.diagram import mermaid
from workflows.compiled.plan import Plan, PointPlan

# The words that Mermaid's flowcharts have for themselves, and that a step can be called.
WORDS = ["end", "graph", "subgraph", "style", "click", "call", "href", "default", "linkStyle", "classDef", "result"]


def test_a_plan_is_drawn_with_its_steps_and_conversations() -> None:
    assert (
        mermaid(plan())
        == """\
flowchart TD
    request([request])
    step_order["order<br/><small>Look it up</small>"]
    request --> step_order
    step_approval["approval"]
    step_order --> step_approval
    talk_approval_1{{"refused"}}
    step_approval <-.-> talk_approval_1
    step_expert -.-> talk_approval_1
    step_expert["expert"]
    request --> step_expert
    step_receipt["receipt<br/><small>Say &quot;thanks&quot; &lt;b&gt;</small>"]
    step_order --> step_receipt
    step_approval --> step_receipt
    step_receipt --> result([result])
"""
    )


def test_a_run_is_drawn_with_the_state_of_each_step() -> None:
    states = {
        "order": StepStatus.DONE,
        "approval": StepStatus.WAITING,
        "expert": StepStatus.DONE,
        "receipt": StepStatus.PENDING,
    }
    drawn = mermaid(plan(), states)
    assert drawn.startswith(mermaid(plan()))
    assert drawn.removeprefix(mermaid(plan())) == (
        "    classDef done fill:#d3f9d8,stroke:#2b8a3e,color:#000\n"
        "    class step_order,step_expert done\n"
        "    classDef waiting fill:#fff3bf,stroke:#e67700,color:#000\n"
        "    class step_approval waiting\n"
    )


@pytest.mark.parametrize("status", [status for status in StepStatus if status is not StepStatus.PENDING])
def test_every_state_but_pending_has_a_style(status: StepStatus) -> None:
    assert f"    class step_order {status}\n" in mermaid(plan(), {"order": status})


@pytest.mark.parametrize("word", WORDS)
def test_no_node_is_called_what_mermaid_s_own_words_are(word: str) -> None:
    assert not keyword.iskeyword(word)
    drawn = mermaid(Plan("W", "", (planned(word), planned("last", word)), word, "last"))
    nodes = {part for line in drawn.splitlines()[1:] for part in line.replace("[", " ").split() if part == word}
    assert nodes <= {"result"}
    assert f"    step_{word} --> step_last\n" in drawn


def test_text_in_labels_shows_as_written() -> None:
    talk = PointPlan('"#1" <now>', arguments(), {})
    drawn = mermaid(Plan("W", "", (planned("only", about='List<int> & #35; "x"', points=(talk,)),), "only", "only"))
    assert "<small>List&lt;int&gt; &amp; #35;35; &quot;x&quot;</small>" in drawn
    assert '{{"&quot;#35;1&quot; &lt;now&gt;"}}' in drawn
