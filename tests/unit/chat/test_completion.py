"""What may follow what somebody has typed so far."""

import pytest

from infra.chat.completion import Choice, choices
from infra.chat.lines import COMMANDS
from signals.conversation import Invocation, InvocationStatus, MessageKind, Proposal, Recorded
from signals.messages import InvocationMode
from tests.unit.chat.test_view import status_of
from tests.unit.conversation.talk import START

STATUS = status_of(
    proposals=(Proposal(number=1, seq=2, speaker="ann", outcome="tea"),),
    fragments=("OrderStatus", "Refund"),
    invocations=(
        Invocation(
            number=1,
            fragment="Refund",
            speaker="ann",
            mode=InvocationMode.SYNCHRONOUS,
            status=InvocationStatus.ASKING,
            arguments={"order_id": "A-1"},
            missing=("amount",),
            seq=3,
        ),
    ),
)
MESSAGES = [
    Recorded(seq=1, at=START, kind=MessageKind.TURN, speaker="ben", text="hello", topic="tea"),
    Recorded(seq=2, at=START, kind=MessageKind.SYSTEM, text="ben left"),
    Recorded(seq=3, at=START, kind=MessageKind.TURN, speaker="ann", text="bye"),
]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("hello /v", []),
        ("//v", []),
        ("/", [f"/{name}" for name in COMMANDS]),
        ("/v", ["/vote"]),
        ("/to ", ["ann", "ben"]),
        ("/to ann,b", ["ben"]),
        ("/to ben hello a", []),
        ("/grant B", ["ben"]),
        ("/reply ", ["3", "1"]),
        ("/vote ", ["1"]),
        ("/vote 1 n", ["no"]),
        ("/topic ", ["tea"]),
        ("/subscribe tea t", ["tea"]),
        ("/invoke ", ["OrderStatus", "Refund"]),
        ("/invoke Refund ", ["amount=", "order_id=", "--mode"]),
        ("/invoke Refund amount=5 ", ["order_id=", "--mode"]),
        ("/invoke OrderStatus ", ["--mode"]),
        ("/invoke Refund --mode a", ["asynchronous"]),
        ("/who ", []),
        ("/nothing ", []),
    ],
)
def test_a_line_is_completed_by_what_is_known(typed: str, expected: list[str]) -> None:
    assert [choice.text for choice in choices(typed, STATUS, MESSAGES)] == expected


def test_a_choice_replaces_what_was_begun_and_says_what_it_is() -> None:
    assert choices("/to ann,be", STATUS, MESSAGES) == [Choice("ben", 2, "ben, guest")]
    assert choices("/vote ", STATUS, MESSAGES) == [Choice("1", 0, '"tea"')]
    assert choices("/reply 3", STATUS, MESSAGES) == [Choice("3", 1, "ann: bye")]
