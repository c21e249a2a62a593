"""The classifier that learns from examples, held to requests that it has not seen."""

import asyncio
import json
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.support.classifier import EXAMPLES, ExamplesClassifier
from signals.support import Classification, Customer, Issue, SupportRequest

THRESHOLD = 0.7
TALK = "talk"
HELD_OUT = Path(__file__).parent / "heldout.jsonl"
ALICE = Customer(id="C-1", name="Alice", email="alice@example.com")


@pytest.fixture(scope="module")
def classifier() -> ExamplesClassifier:
    return ExamplesClassifier()


def classify(classifier: ExamplesClassifier, text: str, order_id: str | None = None) -> Classification:
    request = SupportRequest(customer=ALICE, text=text, order_id=order_id)
    return asyncio.run(ActivityEnvironment().run(classifier.classify, request))


def decision(found: Classification) -> str:
    """Say what a run would do: run the issue's workflow, or talk."""
    known = found.issue is not Issue.OTHER and found.confidence >= THRESHOLD
    return found.issue.value if known else TALK


@pytest.mark.parametrize(
    ("text", "issue"),
    [
        ("Where is my order A-1001?", Issue.ORDER_STATUS),
        ("I want my money back for A-1002, it arrived broken", Issue.REFUND),
        ("I forgot my password and cannot log in", Issue.PASSWORD_RESET),
        ("Please send A-1003 to 12 Oak Street, Springfield instead", Issue.ADDRESS_CHANGE),
    ],
)
def test_a_plain_request_is_known(classifier: ExamplesClassifier, text: str, issue: Issue) -> None:
    found = classify(classifier, text)
    assert found.issue is issue
    assert found.confidence >= THRESHOLD


@pytest.mark.parametrize(
    "text",
    [
        "Your app deleted all my loyalty points after the merger of my two accounts and now the invoices are wrong",
        "the machine makes a strange noise since the update",
        "I don't want a refund, I want a replacement for the pump",
        "Where is my order A-1001 and can I get my money back for A-1002?",
        "Wo ist meine Bestellung A-1001?",
        "Je veux être remboursé",
        "xkcd qwfp zxcv arst",
        "A-1001",
        ".",
        "👍",
    ],
)
def test_a_vague_complex_or_foreign_request_makes_people_talk(classifier: ExamplesClassifier, text: str) -> None:
    assert decision(classify(classifier, text)) == TALK


def test_the_unseen_requests_are_not_among_the_examples() -> None:
    learnt = {json.loads(line)["text"] for line in EXAMPLES.read_text(encoding="utf-8").splitlines()}
    unseen = {json.loads(line)["text"] for line in HELD_OUT.read_text(encoding="utf-8").splitlines()}
    assert not learnt & unseen


def test_at_least_nine_of_ten_unseen_requests_are_decided_rightly(classifier: ExamplesClassifier) -> None:
    unseen = [json.loads(line) for line in HELD_OUT.read_text(encoding="utf-8").splitlines()]
    wrong = [line for line in unseen if decision(classify(classifier, line["text"])) != line["expected"]]
    assert len(wrong) <= len(unseen) / 10, wrong


def test_no_unseen_request_starts_the_wrong_workflow(classifier: ExamplesClassifier) -> None:
    unseen = [json.loads(line) for line in HELD_OUT.read_text(encoding="utf-8").splitlines()]
    wrong = [line for line in unseen if decision(classify(classifier, line["text"])) not in (line["expected"], TALK)]
    assert wrong == []


def test_the_same_examples_give_the_same_classifier(classifier: ExamplesClassifier) -> None:
    text = "Could you check on my order, or pay it back?"
    assert classify(ExamplesClassifier(), text) == classify(classifier, text)


def test_which_order_it_is_says_nothing_about_the_issue(classifier: ExamplesClassifier) -> None:
    first, second = (classify(classifier, f"What about {order}, is it late?") for order in ("A-1001", "ZZ-777000"))
    assert first.confidence == second.confidence


def test_the_order_and_the_address_that_are_named_are_given(classifier: ExamplesClassifier) -> None:
    found = classify(classifier, "Please send a-1003 to 12 Oak Street, Springfield instead")
    assert (found.order_id, found.address) == ("A-1003", "12 Oak Street, Springfield")


def test_an_order_that_the_request_gives_apart_is_not_looked_for(classifier: ExamplesClassifier) -> None:
    assert classify(classifier, "Where is A-1001?", order_id="A-1002").order_id == "A-1002"


def test_only_a_change_of_address_has_an_address(classifier: ExamplesClassifier) -> None:
    found = classify(classifier, "I want my money back, it came broken to 12 Oak Street, Springfield.")
    assert (found.issue, found.address) == (Issue.REFUND, None)
