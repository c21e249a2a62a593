"""Conditions that are made of others: all of them, or any one."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from signals.conversation import Ended
from signals.participants import Participant
from workflows.conversation.emergence import EMERGENCE, AnyCondition, Condition, Judge, Question
from workflows.conversation.state import ConversationState

MAX_LEVELS: Final = 5
"""How deep conditions may be nested."""

MAX_CONDITIONS: Final = 50
"""Conditions of a conversation, with all that they are made of: each is looked at after everything that happens."""

MAX_JUDGES: Final = 10
"""Questions to language models that a conversation may have: each is asked again and again."""

MAX_REASON: Final = 1000
"""The longest reason of an end by several conditions, in characters."""


def _not_too_deep(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    if 1 + _levels(conditions) > MAX_LEVELS:
        raise ValueError(f"conditions are nested too deep, at most {MAX_LEVELS} levels are allowed")
    return conditions


def _levels(conditions: Sequence[Condition]) -> int:
    return max((1 + _levels(condition.parts) for condition in conditions), default=0)


class Combined(Condition):
    """A condition that is made of others."""

    of: Annotated[tuple[AnyCondition, ...], Field(min_length=1, max_length=10), AfterValidator(_not_too_deep)]

    @property
    def parts(self) -> Sequence[Condition]:
        """The conditions that it is made of."""
        return self.of

    def fault(self, participants: Sequence[Participant]) -> str | None:
        """Say which setting doesn't suit the participants, with its place in this."""
        found = _first_fault(self.of, participants)
        return f"of.{found}" if found else None

    def questions(self, state: ConversationState) -> Sequence[Question]:
        """What a language model is to judge now."""
        return tuple(question for part in self.of for question in part.questions(state))

    @abstractmethod
    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""


class AnyOf(Combined):
    """One of some conditions is met; the first one says how it ended.

    Example:
        `{"kind": "any", "of": [{"kind": "consensus"}, {"kind": "silence", "seconds": 600}]}`
    """

    kind: Literal["any"] = "any"

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come."""
        return next((end for part in self.of if (end := part.met(state, now))), None)

    def due(self, state: ConversationState, now: datetime) -> datetime | None:
        """When the first of them may be met by time alone."""
        return min((at for part in self.of if (at := part.due(state, now)) and at > now), default=None)


class AllOf(Combined):
    """Some conditions are all met at once; those about a proposal, of the same one.

    Example:
        `{"kind": "all", "of": [{"kind": "quorum", "share": 0.51}, {"kind": "decision", "roles": ["manager"]}]}`
    """

    kind: Literal["all"] = "all"

    def met(self, state: ConversationState, now: datetime) -> Ended | None:
        """The end, if it has come: who decides is whoever does by any of them."""
        for view in _by_proposal(state):
            ends: list[Ended] = []
            for part in self.of:
                end = part.met(view, now)
                if end is None:
                    break
                ends.append(end)
            else:
                return _together(ends)
        return None

    def due(self, state: ConversationState, now: datetime) -> datetime | None:
        """When the last of them is met, where nothing but time is missing."""
        times = [at for view in _by_proposal(state) if (at := self._due(view, now))]
        return min(times, default=None)

    def _due(self, state: ConversationState, now: datetime) -> datetime | None:
        times = [part.due(state, now) for part in self.of if not part.met(state, now)]
        known = [at for at in times if at is not None and at > now]
        return max(known) if known and len(known) == len(times) else None


EMERGENCE.add(AllOf, AnyOf)


def conditions_fault(conditions: Sequence[Condition], participants: Sequence[Participant]) -> str | None:
    """Say which of a conversation's conditions doesn't suit it, beginning with `emergence`; nothing where all do."""
    every = tuple(_every(conditions))
    judges = sum(isinstance(condition, Judge) for condition in every)
    for what, number, most in (("conditions", len(every), MAX_CONDITIONS), ("questions to judge", judges, MAX_JUDGES)):
        if number > most:
            return f"emergence: {number} {what} in all, at most {most} are allowed"
    found = _first_fault(conditions, participants)
    return f"emergence.{found}" if found else None


def _first_fault(conditions: Sequence[Condition], participants: Sequence[Participant]) -> str | None:
    faults = (
        f"{index}.{fault}"
        for index, condition in enumerate(conditions)
        if (fault := condition.fault(participants)) is not None
    )
    return next(faults, None)


def _every(conditions: Sequence[Condition]) -> Iterable[Condition]:
    for condition in conditions:
        yield condition
        yield from _every(condition.parts)


def _by_proposal(state: ConversationState) -> Iterable[ConversationState]:
    """The state with one of its open proposals at a time."""
    if len(state.proposals) <= 1:
        yield state
        return
    for proposal in state.proposals:
        yield state.model_copy(update={"proposals": [proposal]})


def _together(ends: Sequence[Ended]) -> Ended:
    """One end of several: how it came is what those decided who decide, or what the first says."""
    decisive = next((end for end in ends if end.decided_by), ends[0])
    return decisive.model_copy(
        update={
            "reason": "; ".join(dict.fromkeys(end.reason for end in ends))[:MAX_REASON],
            "decided_by": tuple(dict.fromkeys(name for end in ends for name in end.decided_by)),
            "evidence": tuple(sorted({seq for end in ends for seq in end.evidence})),
        }
    )
