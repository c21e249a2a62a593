"""A conversation's page in the Web UI: who is waited for since when, what was said at which time, how it ended."""

from tests.pages import sections
from tests.unit.conversation.talk import ANYTHING, START, Talk, person
from workflows.conversation.coordination import FreeForm
from workflows.conversation.emergence import Decision
from workflows.conversation.page import page
from workflows.markdown import moment

DAY = 86_400
ANN, BEN = person("ann", *ANYTHING), person("ben")


def shown(talk: Talk) -> dict[str, list[list[str]]]:
    return sections(page(talk.setup, talk.state, talk.now))


def head(talk: Talk) -> list[list[str]]:
    """What is under the title."""
    return next(iter(shown(talk).values()))


def standing(talk: Talk) -> str:
    [[line], *_] = head(talk)
    return line


def test_it_says_since_when_people_are_waited_for() -> None:
    talk = Talk(ANN, BEN, coordination=FreeForm())
    assert f"waits for ann (guest), ben (guest) since {moment(START)} UTC" in standing(talk)
    talk.wait(120)
    talk.turn("ann", "Hello?")
    spoken = talk.state.messages[-1].at
    talk.wait(30)
    assert spoken > START
    assert f"since {moment(spoken)} UTC" in standing(talk)


def test_what_was_said_on_another_day_has_its_date() -> None:
    talk = Talk(ANN, BEN, coordination=FreeForm(), constraints={"timeout_seconds": 10 * DAY})
    talk.turn("ann", "one")
    talk.turn("ben", "two")
    talk.wait(2 * DAY)
    talk.turn("ann", "three")
    first, second, third = talk.state.messages
    assert [row[1] for row in shown(talk)["Transcript"][1:]] == [
        moment(first.at),
        f"{second.at:%H:%M:%S}",
        moment(third.at),
    ]


def test_who_closes_it_has_decided_no_outcome() -> None:
    talk = Talk(ANN, BEN, coordination=FreeForm())
    talk.close("ann", "solved on the phone")
    assert head(talk) == [["Ended (closed): solved on the phone"]]


def test_what_was_decided_is_shown_to_be_copied() -> None:
    talk = Talk(ANN, BEN, coordination=FreeForm(), emergence=[Decision()])
    talk.propose("ann", {"place": "Rome"})
    assert head(talk)[1] == ['Outcome: {"place": "Rome"}']
