"""A run's page in the Web UI."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from signals.conversation import ConversationResult, Rejection, Rejections, StopReason, Tokens
from signals.errors import ErrorType
from signals.modes import Trigger
from signals.run import ConversationRecord
from tests.pages import UI, sections
from tests.unit.compiled.plans import NOW, plan
from workflows.compiled.page import page
from workflows.compiled.record import Move, RunRecord, usual_end
from workflows.compiled.settlement import Settled

TAGS = {"h1", "h2", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "pre", "code"}


def record_of(text: str) -> RunRecord:
    """A run in which people and errors say the same everywhere."""
    record = RunRecord.begin("r-1", plan())
    record.begun("order", NOW)
    record.finished("order", NOW + timedelta(seconds=1.5))
    record.begun("approval", NOW)
    record.waits("approval")
    for number in (1, 2):
        talk = ConversationRecord(
            id=f"r-1/refused-{number}",
            step="approval",
            point="refused",
            opened=NOW,
            because=text,
            people=("ann", "bob"),
        )
        record.opened(talk, Move(record.beside, Trigger.POINT, text, cause="Refused"))
    result = ConversationResult(
        conversation="r-1/refused-1",
        stop=StopReason.DECISION,
        reason=text,
        outcome=text,
        decided_by=("bob",),
        turns=3,
        messages=4,
        started=NOW,
        ended=NOW,
        tokens=Tokens(),
    )
    record.closed("r-1/refused-1", NOW, result, Settled(text, text, fallback=False), usual_end(result))
    record.begun("receipt", NOW)
    record.failed("receipt", NOW, text)
    return record


def rejected(text: str, count: int = 1) -> Rejections:
    rejections = Rejections()
    for _ in range(count):
        rejections = rejections.adding(
            Rejection(at=NOW, signal="turn", speaker="zoe", type=ErrorType.INVALID_INPUT, reason=text)
        )
    return rejections


def test_a_page_says_all_there_is_to_know() -> None:
    talks = ["r-1/refused-1", "r-1/refused-2"]
    assert sections(page(record_of("too *much*"), rejected("no | never"))) == {
        "Refund": [
            ["Give money back."],
            [f"In mode conversation · 1 of 4 steps done · ann, bob talk in {talks[1]} since 2026-01-05 10:00:00 UTC"],
        ],
        "Steps": [
            ["", "step", "what it does", "took"],
            ["✓", "order", "Look it up.", "1.5\u00a0s"],
            ["…", "approval", "", "since 2026-01-05 10:00:00"],
            ["·", "expert", "", ""],
            ["✗", "receipt", 'Say "thanks" <b> too *much*', "0\u00a0ms"],
        ],
        "Conversations": [
            ["conversation", "people", "because", "ended", "outcome"],
            [talks[0], "ann, bob", "too *much*", "decision after 3 turns", '"too *much*"'],
            [talks[1], "ann, bob", "too *much*", "open", ""],
        ],
        "Modes": [
            ["at", "from", "to", "trigger", "reason", "took"],
            ["2026-01-05 10:00:00", "workflow", "conversation", "point: Refused", "too *much*", ""],
        ],
        "Not accepted (1)": [
            ["at", "signal", "why", "reason"],
            ["2026-01-05 10:00:00", "turn", "InvalidInput", "no | never"],
        ],
        "Look closer": [
            ["temporal workflow query --workflow-id r-1 --type progress"],
            [f"temporal workflow query --workflow-id {talks[1]} --type transcript"],
            [
                f"temporal workflow signal --workflow-id {talks[1]} --name turn --input "
                """'{"speaker": "ann", "text": "..."}'"""
            ],
        ],
    }


def test_who_must_sign_is_shown_how_to_talk() -> None:
    shown = sections(page(record_of("x"), Rejections(), signers={"ann"}))["Look closer"]
    assert shown[-1] == ["temporal parley chat r-1/refused-2 --as ann --key FILE"]


def test_a_plain_run_s_page_is_short() -> None:
    assert list(sections(page(RunRecord.begin("r-1", plan()), Rejections()))) == ["Refund", "Steps", "Look closer"]


def test_a_finished_run_says_so() -> None:
    record = RunRecord.begin("r-1", plan())
    record.completed()
    assert sections(page(record, Rejections()))["Refund"][-1] == ["Done · 0 of 4 steps done"]


def test_a_step_that_is_left_out_is_not_under_way() -> None:
    record = RunRecord.begin("r-1", plan())
    record.begun("order", NOW)
    record.skipped("order")
    assert ["-", "order", "Look it up.", ""] in sections(page(record, Rejections()))["Steps"]


def test_a_fallback_is_named_so() -> None:
    record = record_of("x")
    record.closed("r-1/refused-2", NOW, "terminated", Settled(7, 7, fallback=True), usual_end("terminated"))
    assert sections(page(record, Rejections()))["Conversations"][-1][3:] == ["broken off", "fallback: 7"]


def test_only_the_last_rejections_are_shown() -> None:
    shown = sections(page(RunRecord.begin("r-1", plan()), rejected("no", 7)))
    assert len(shown["Not accepted (7)"]) == 1 + 5


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text(st.sampled_from("<>`|*_[](){}#!\\&\"'/ \nab")))
def test_what_people_wrote_makes_neither_tags_nor_cells(text: str) -> None:
    def shape(text: str) -> list[tuple[str, str]]:
        tokens = UI.parse(page(record_of(text), rejected(text)))
        inner = [child for token in tokens for child in token.children or [token]]
        return [(token.type, token.tag) for token in inner if not token.type.startswith("text")]

    assert shape(text) == shape("plain") or not text.strip()
    assert {tag for _, tag in shape(text)} <= {*TAGS, ""}
