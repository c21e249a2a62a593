"""People and models are told what is wrong, bounded; what they may decide is held to its type."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from signals.checkouts import Checkout, Checks
from signals.participants import Kind, Participant, Permission
from signals.pipeline import FailedTest, PipelineRequest, Stage, StageResult, StageState
from signals.wire import MAX_FACTS_BYTES
from tests.unit.pipeline.records import APPROVE, CHANGES, HASH, REJECT, REPLACED
from workflows.conversation.outcomes import outcome_fault
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import StepError
from workflows.pipeline import talks
from workflows.pipeline.errors import PipelineError
from workflows.pipeline.failures import PART, facts_of, failed_stage, told

TESTS = FailedTest(name="test_cart.py::test_total", file="test_cart.py", line=5, message="assert 4 == 3")


def checkout(diff: str = "+x = 1\n", pipeline: Mapping[str, object] | None = None) -> Checkout:
    return Checkout.model_validate(
        {
            "repository": "/srv/cart",
            "requested": HASH,
            "commit": HASH,
            "subject": "Speed up",
            "files": ["cart.py"],
            "diff": diff,
            "pipeline": {"test": {"command": ["pytest"]}, "lead": "dana", **(pipeline or {})},
        }
    )


def stage(kind: Stage, state: StageState = StageState.FAILED, **more: object) -> StageResult:
    return StageResult.model_validate({"stage": kind, "state": state, "reason": "it broke", **more})


def checks(*stages: StageResult) -> Checks:
    return Checks(commit=HASH, stages=stages)


FAILED = stage(Stage.TEST, failed=1, tests=2, failures=[TESTS], tail="E   assert 4 == 3\n1 failed\n")

REQUEST = PipelineRequest(repository="/srv/cart", commit="main", author="ann")


def error(candidate: Checkout, found: Checks) -> StepError:
    return StepError(type=PipelineError.TESTS_FAILED, message="test: it broke", details=facts_of(candidate, found))


def debugging(request: PipelineRequest = REQUEST, **pipeline: object) -> ConversationSetup:
    candidate = checkout(pipeline=pipeline)
    return talks.debugging(request, candidate, error(candidate, checks(FAILED)))


def review(request: PipelineRequest = REQUEST, **pipeline: object) -> ConversationSetup:
    candidate = checkout(pipeline=pipeline)
    return talks.review(request, candidate, error(candidate, checks()))


def test_what_breaks_first_is_talked_about_first() -> None:
    build, test, lint = stage(Stage.BUILD), stage(Stage.TEST), stage(Stage.LINT)
    assert failed_stage(checks(lint, test, build)) == build
    assert failed_stage(checks(lint, test)) == test
    assert failed_stage(checks(lint)) == lint
    assert failed_stage(checks(stage(Stage.TEST, StageState.PASSED))) is None


def test_a_failure_is_told_in_one_line() -> None:
    assert told(FAILED) == "test: it broke: test_cart.py::test_total"
    many = stage(Stage.TEST, failed=9, failures=[TESTS] * 9)
    assert told(many).endswith("test_total and 6 more")
    assert told(stage(Stage.BUILD)) == "build: it broke"


def test_failing_tests_log_and_difference_are_known() -> None:
    known = facts_of(checkout(), checks(FAILED))
    assert known["failed test 1"] == "test_cart.py::test_total (line 5): assert 4 == 3"
    assert known["end of the log"] == "E   assert 4 == 3\n1 failed"
    assert known["difference"] == "+x = 1"
    assert (known["repository"], known["commit"]) == ("/srv/cart", HASH)


@given(text=st.text(max_size=3000), count=st.integers(0, 50))
def test_what_is_known_is_bounded_and_nothing_of_a_short_text_is_lost(text: str, count: int) -> None:
    failed = stage(Stage.TEST, failed=count, failures=[TESTS] * count, tail=text)
    known = facts_of(checkout(diff=text * 30), checks(failed))
    assert all(len(value) <= PART for value in known.values() if isinstance(value, str))
    assert len(json.dumps(known, ensure_ascii=False).encode()) < MAX_FACTS_BYTES
    parts = [str(value) for name, value in known.items() if name.startswith("end of the log")]
    assert "".join(parts) == text.strip("\n")


def roles(setup: ConversationSetup) -> dict[str, str]:
    return {who.id: who.role for who in setup.participants}


def test_a_failure_is_talked_about_by_author_lead_and_debugger() -> None:
    setup = debugging()
    assert roles(setup) == {"ann": "developer", "dana": "lead", "debugger": "assistant"}
    deciding = {who.id for who in setup.participants if who.may(Permission.DECIDE)}
    moderating = {who.id for who in setup.participants if who.may(Permission.MODERATE)}
    assert (deciding, moderating) == ({"ann", "dana"}, {"dana"})
    assert setup.guidance == "debugging"


@pytest.mark.parametrize("lead", [None, "ann"])
def test_an_author_without_a_lead_moderates(lead: str | None) -> None:
    setup = debugging(lead=lead, assistants=False)
    assert roles(setup) == {"ann": "developer"}
    assert setup.participants[0].may(Permission.MODERATE)


def test_others_take_part_whom_the_request_names_once() -> None:
    others = (
        Participant(id="ann", kind=Kind.HUMAN, role="guest"),
        Participant(id="ed", kind=Kind.HUMAN, role="expert"),
    )
    request = REQUEST.model_copy(update={"participants": others})
    assert roles(debugging(request))["ed"] == "expert"
    assert roles(debugging(request))["ann"] == "developer"


def test_a_review_is_among_author_and_reviewers_and_nobody_else_joins() -> None:
    setup = review(review={"approvals": 1, "reviewers": ["ed", "ann"]})
    assert roles(setup) == {"ann": "author", "ed": "reviewer", "dana": "lead", "review-assistant": "assistant"}
    assert setup.guests is None


@pytest.mark.parametrize(
    ("outcome", "fits"),
    [
        (APPROVE, True),
        (CHANGES, True),
        (REPLACED, True),
        (REJECT, True),
        ({"verdict": "approve", "commit": "2" * 40}, False),
        ({"verdict": "approve"}, False),
        ({"verdict": "reject"}, False),
        ({"verdict": "perhaps"}, False),
        ("approve", False),
    ],
)
def test_in_a_review_only_its_commit_can_be_approved(outcome: JsonValue, fits: bool) -> None:
    assert (outcome_fault(review().outcome, outcome) is None) == fits
