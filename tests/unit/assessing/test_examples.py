"""The offline assessor, held to tasks that it has not seen."""

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import JsonValue, ValidationError
from temporalio.testing import ActivityEnvironment

from activities.assessing.evidence import TRAITS
from activities.assessing.examples import EXAMPLES, ExamplesAssessor
from signals.adaptive import Assessed, Selection, SelectionRequest, Task, Traits
from signals.modes import Paradigm
from signals.wire import Wire
from workflows.modes.selector import select_paradigm

HELD_OUT = Path(__file__).parent / "heldout.jsonl"
THRESHOLD = 0.7


class Unseen(Wire):
    """A task, and the traits that hold."""

    task: Task
    traits: tuple[str, ...]


UNSEEN = [Unseen.model_validate_json(line) for line in HELD_OUT.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def assessor() -> ExamplesAssessor:
    return ExamplesAssessor()


def assess(assessor: ExamplesAssessor, task: Task) -> Assessed:
    return asyncio.run(ActivityEnvironment().run(assessor.assess, task))


def right(found: Assessed, unseen: Unseen) -> int:
    """How many traits are found rightly."""
    return sum(value is (trait in unseen.traits) for trait, value in found.traits)


def test_the_unseen_tasks_are_not_among_the_examples() -> None:
    learnt = {json.loads(line)["goal"] for line in EXAMPLES.read_text(encoding="utf-8").splitlines()}
    assert not learnt & {unseen.task.goal for unseen in UNSEEN}


def test_at_least_nine_of_ten_traits_of_unseen_tasks_are_found(assessor: ExamplesAssessor) -> None:
    score = sum(right(assess(assessor, unseen.task), unseen) for unseen in UNSEEN)
    assert score >= 0.9 * len(TRAITS) * len(UNSEEN)


def test_it_is_not_surer_than_it_is_right(assessor: ExamplesAssessor) -> None:
    found = [(assess(assessor, unseen.task), unseen) for unseen in UNSEEN]
    sure = sum(one.confidence for one, _ in found) / len(UNSEEN)
    assert sure <= sum(right(one, unseen) for one, unseen in found) / (len(TRAITS) * len(UNSEEN))


@pytest.mark.parametrize(
    ("goal", "task", "paradigm"),
    [
        ("Pay the customer's money back", {"workflow": "Refund", "input": {"order_id": "A-1"}}, "workflow"),
        ("Choose a date and a place for our party", {}, "conversation"),
        ("Settle a claim, with an expert where the damage isn't clear", {"workflow": "Claim"}, "hybrid"),
        ("Look after the visitors this afternoon", {}, "adaptive"),
    ],
)
def test_each_paradigm_is_chosen_for_a_task_that_it_suits(
    assessor: ExamplesAssessor, goal: str, task: dict[str, JsonValue], paradigm: str
) -> None:
    asked = Task.model_validate({"goal": goal, **task})
    found = assess(assessor, asked)
    request = SelectionRequest(
        goal=goal,
        traits=found.traits,
        confidence=found.confidence,
        workflow=asked.workflow is not None,
        people=True,
    )
    chosen = select_paradigm(request)
    assert isinstance(chosen, Selection)
    assert chosen.paradigm is Paradigm(paradigm), (found, chosen)
    assert found.confidence >= THRESHOLD


@pytest.mark.parametrize(
    "goal", ["xkcd qwfp zxcv arst", "Bitte schicken Sie alle Rechnungen", "A-1001", ".", "👍", "a:" * 8000]
)
def test_of_a_goal_that_no_example_has_words_of_it_is_not_sure(assessor: ExamplesAssessor, goal: str) -> None:
    found = assess(assessor, Task(goal=goal))
    assert found.confidence < THRESHOLD


def test_it_says_by_what_it_was_found(assessor: ExamplesAssessor) -> None:
    assert assess(assessor, Task(goal="Do it")).by == "rules and examples"


def test_what_is_said_already_stays_said(assessor: ExamplesAssessor) -> None:
    task = Task(goal="Brainstorm ideas for the garden", traits=Traits(emergent=False, deterministic=True))
    found = assess(assessor, task).traits
    assert (found.emergent, found.deterministic) == (False, True)


def test_the_same_examples_give_the_same_assessor(assessor: ExamplesAssessor) -> None:
    task = Task(goal="Sort out the complaints of the neighbours, step by step")
    assert assess(ExamplesAssessor(), task) == assess(assessor, task)


@pytest.mark.parametrize("traits", [["quick"], ["deterministic", "emergent"], ["clear_steps"]])
def test_an_example_that_can_t_be_is_refused(tmp_path: Path, traits: list[str]) -> None:
    examples = tmp_path / "tasks.jsonl"
    examples.write_text(json.dumps({"goal": "Do it", "traits": traits}))
    with pytest.raises(ValidationError):
        ExamplesAssessor(examples)
