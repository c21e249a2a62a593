"""What tests of adaptation share: people, and a conversation with one rule."""

from signals.participants import Participant
from tests.unit.conversation.talk import Talk, ai, person
from workflows.conversation.adaptation import Action, Nudge, Rule
from workflows.conversation.coordination import FreeForm
from workflows.conversation.observations import Observation

ANN, BEN, CAT = (person(name) for name in ("ann", "ben", "cat"))
ROBOT = ai("robot")
EVE = person("eve", role="mediator")

BORING = "we should have pizza for lunch"
OTHERWISE = "we should have soup and salad for dinner"


def watched(when: Observation, *people: Participant, then: Action | None = None, **options: object) -> Talk:
    """A conversation without a floor and with one rule: by default it says what is seen, and nothing else."""
    rule = Rule(when=when, then=then or Nudge())
    return Talk(*people, **{"adaptation": (rule,), "coordination": FreeForm(), **options})


def system(talk: Talk) -> list[str]:
    """What the conversation itself said."""
    return [message.text for message in talk.state.messages if message.speaker is None]


def take_turns(talk: Talk, *speakers: str) -> None:
    """Have some people say something, each time something new."""
    for speaker in speakers:
        talk.turn(speaker, f"{speaker} says number {talk.state.turns}")
