"""Adaptation: what is done about a conversation when something is seen of it, as data."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import Field

from signals.modes import Mode
from signals.participants import Participant
from signals.wire import Identifier, Text, Wire
from workflows.conversation.bounds import Constraints
from workflows.conversation.coordination import CoordinationStrategy
from workflows.conversation.observations import AnyObservation, BudgetSpent, Circling, Disagreement
from workflows.conversation.speaker_selection import Coordination


class SwitchCoordination(Wire):
    """Take turns in another way from now on.

    Example:
        `{"do": "switch_coordination", "to": {"kind": "turn_based"}}`
    """

    do: Literal["switch_coordination"] = "switch_coordination"
    to: Coordination


class Nudge(Wire):
    """Say something to all; AI participants that should say something are asked to.

    Example:
        `{"do": "nudge", "text": "Let us hear the others."}`
    """

    do: Literal["nudge"] = "nudge"
    text: Text | None = None
    """What is said after what was seen; nothing more, where it is null."""


class AddParticipant(Wire):
    """Bring somebody in, if there is room.

    Example:
        `{"do": "add_participant", "participant": {"id": "eve", "kind": "human", "role": "mediator"}}`
    """

    do: Literal["add_participant"] = "add_participant"
    participant: Participant


class DropParticipant(Wire):
    """Have somebody leave, unless they are the last person, or the last who may decide or moderate.

    Example:
        `{"do": "drop_participant", "id": "robot"}`
    """

    do: Literal["drop_participant"] = "drop_participant"
    id: Identifier | None = None
    """Who; whoever it was seen of, where it is null."""


class CallVote(Wire):
    """Ask all to vote on the latest open proposal, or for one where there is none."""

    do: Literal["call_vote"] = "call_vote"


class Summarise(Wire):
    """Have a language model sum up what everybody may see; those who reply are given it.

    Example:
        `{"do": "summarise"}`
    """

    do: Literal["summarise"] = "summarise"
    model: str | None = Field(default=None, max_length=200, pattern=r"^[ -~]*$")
    """The language model; the worker's own where there is none."""


class AskForSwitch(Wire):
    """End the conversation, and ask the run that it belongs to for another mode.

    Example:
        `{"do": "ask_for_switch", "to": "workflow"}`
    """

    do: Literal["ask_for_switch"] = "ask_for_switch"
    to: Literal[Mode.WORKFLOW, Mode.HYBRID]


Action = Annotated[
    SwitchCoordination | Nudge | AddParticipant | DropParticipant | CallVote | Summarise | AskForSwitch,
    Field(discriminator="do"),
]
"""What is done about a conversation."""


class Rule(Wire):
    """What is done when something is seen.

    Example:
        `{"when": {"kind": "stalled", "seconds": 600}, "then": {"do": "nudge"}, "most": 3}`
    """

    when: AnyObservation
    then: Action
    most: int = Field(default=1, ge=1, le=20)
    """How often it is followed, in the whole conversation."""

    pause: int = Field(default=10, ge=1, le=10_000)
    """How many turns are taken before it is followed again."""

    @property
    def coordination(self) -> CoordinationStrategy | None:
        """The way of taking turns that it changes to, if it does."""
        return self.then.to if isinstance(self.then, SwitchCoordination) else None


DEFAULT_RULES: Final = (
    Rule(
        when=Circling(),
        then=Nudge(text="What is new since then? Say what speaks for something else, or propose an outcome."),
    ),
    Rule(when=Disagreement(), then=CallVote()),
    Rule(when=BudgetSpent(), then=Nudge(text="Please come to an end, or propose an outcome.")),
)
"""What suits most conversations: each is followed once, and says something only when it goes badly."""


def rules_fault(
    rules: Sequence[Rule], participants: Sequence[Participant], constraints: Constraints, window: int
) -> str | None:
    """Say which setting of some rules doesn't suit the rest of a setup, beginning with `adaptation`; nothing if all do.

    The default rules suit any: it does no harm if one of them can never be followed.
    """
    for index, rule in enumerate(rules):
        where = f"adaptation.{index}"
        fault = rule.when.fault(participants)
        if rule not in DEFAULT_RULES:
            fault = fault or rule.when.out_of_sight(constraints, window)
        if fault:
            return f"{where}.when.{fault}"
        if fault := _action_fault(rule, participants):
            return f"{where}.then.{fault}"
    return None


def _action_fault(rule: Rule, participants: Sequence[Participant]) -> str | None:
    match rule.then:
        case SwitchCoordination(to=to):
            fault = to.fault(participants)
            return f"to.{fault}" if fault else None
        case AddParticipant(participant=one) if one not in participants:
            return f"participant.id: {one.id!r} is somebody else; choose another id"
        case DropParticipant(id=None) if not rule.when.names_somebody:
            return f"id: '{rule.when.kind}' names nobody; say who is to leave"
        case DropParticipant(id=str(name)) if all(one.id != name for one in participants):
            return f"id: {name!r} is not a participant"
        case _:
            return None
