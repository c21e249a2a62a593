"""Tasks whose paradigm is chosen: what goes into `Adaptive`, what it chooses and why, what comes out."""

from enum import StrEnum
from typing import Final, Self

from pydantic import Field, JsonValue, model_validator

from signals.modes import Mode, Paradigm, Rules
from signals.participants import Participant
from signals.run import ConversationRecord, Transition
from signals.settings import Settings
from signals.wire import Facts, Identifier, Text, Wire

SURE: Final = 1.0
"""The confidence of what somebody said themselves."""


class Traits(Wire):
    """What a task is like; what isn't given is assessed. From the seed's "Decision Criteria".

    Example:
        `{"deterministic": true, "clear_steps": true}`
    """

    deterministic: bool | None = None
    """Whether the same input always asks for the same to be done."""

    clear_steps: bool | None = None
    """Whether its steps are known beforehand."""

    dynamic_participants: bool | None = None
    """Whether it isn't known beforehand who takes part."""

    emergent: bool | None = None
    """Whether what is wanted only emerges while people talk."""

    structured_phases: bool | None = None
    """Whether it has parts that follow each other."""

    flexible: bool | None = None
    """Whether it may have to be done otherwise than planned."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.deterministic and self.emergent:
            raise ValueError("deterministic, emergent: what is deterministic can't emerge; leave one of them out")
        if self.clear_steps and self.structured_phases is False:
            raise ValueError("clear_steps, structured_phases: clear steps are a structure; leave one of them out")
        return self

    @property
    def missing(self) -> tuple[str, ...]:
        """What isn't given."""
        return tuple(name for name, value in self if value is None)

    def completed(self, others: "Traits") -> "Traits":
        """These, with what isn't given taken from others, as far as it doesn't contradict what is."""
        found = {name: value for name, value in others if value is not None}
        given = {name: value for name, value in self if value is not None}
        if given.get("deterministic") and found.get("emergent"):
            del found["emergent"]
        if given.get("emergent") and found.get("deterministic"):
            del found["deterministic"]
        if given.get("clear_steps") and found.get("structured_phases") is False:
            del found["structured_phases"]
        if given.get("structured_phases") is False and found.get("clear_steps"):
            del found["clear_steps"]
        return Traits(**{**found, **given})


class Task(Wire):
    """What is to be done.

    Example:
        `{"goal": "Give C-1 their money back for A-1002", "workflow": "Refund", "input": {"order_id": "A-1002",
            "customer_id": "C-1"}}`
    """

    goal: Text
    workflow: Identifier | None = None
    """The compiled workflow that is made for it."""

    input: JsonValue = None
    """The workflow's input."""

    workflows: tuple[Identifier, ...] = Field(default=(), max_length=50)
    """The compiled workflows that a conversation about it may decide to go on with, beside `workflow`."""

    traits: Traits = Traits()
    outcome: dict[str, JsonValue] | None = None
    """The JSON Schema of what a conversation about it comes to; anything will do where there is none."""

    facts: Facts = Field(default={})
    """What is known."""

    @model_validator(mode="after")
    def _has_a_workflow_for_its_input(self) -> Self:
        if self.input is not None and self.workflow is None:
            raise ValueError("input: there is no 'workflow' that takes it; name one")
        return self


class AdaptiveRequest(Wire):
    """The input of `Adaptive`.

    Example:
        `{"task": {"goal": "Choose a date for the party"}, "participants": [
            {"id": "ann", "kind": "human", "role": "host", "can": ["speak", "decide"]}]}`
    """

    task: Task
    participants: tuple[Participant, ...] = Field(default=(), max_length=200)
    """Who may be talked to."""

    paradigm: Paradigm | None = None
    """How to go about it; chosen where it isn't given."""

    setup: dict[str, JsonValue] = Field(default={})
    """Fields of the `ConversationSetup` of a conversation about the task: `coordination`, `emergence`, ..."""

    rules: Rules | None = None
    """The transition rules that hold, in place of the configured ones."""


class Assessed(Wire):
    """What a task is like, as somebody found who wasn't told."""

    traits: Traits
    confidence: float = Field(ge=0, le=1)
    """The share of what was found that can be expected to be right."""

    by: str
    """Who found it: `rules and examples`, or a language model, by its model string."""


class SelectionRequest(Wire):
    """What a paradigm is chosen by."""

    goal: Text
    traits: Traits
    confidence: float = Field(default=SURE, ge=0, le=1)
    """How sure the traits are."""

    workflow: bool
    """Whether there is a workflow for it."""

    people: bool
    """Whether there is somebody to talk to."""

    wanted: Paradigm | None = None
    """What was asked for."""

    settings: Settings = Settings()


class Considered(Wire):
    """One of the paradigms, and what speaks for or against it."""

    paradigm: Paradigm
    suits: bool
    reason: str


class Basis(StrEnum):
    """What a paradigm is chosen by."""

    ASKED = "asked"
    """It was asked for."""

    UNSURE = "unsure"
    """What the task is like is not known well enough, so people say first."""

    TRAITS = "traits"
    """What the task is like."""

    DEFAULT = "default"
    """The configured default, since nothing speaks for one paradigm alone."""

    PREFERENCE = "preference"
    """What there is, and what is preferred, since nothing else speaks for one paradigm alone."""


class Selection(Wire):
    """What was chosen, and why.

    Example:
        `{"paradigm": "workflow", "start": "workflow", "reasons": ["its steps are clear"], "confidence": 1.0,
            "considered": []}`
    """

    paradigm: Paradigm
    start: Mode
    """The mode to begin in."""

    reasons: tuple[str, ...]
    confidence: float = Field(ge=0, le=1)
    considered: tuple[Considered, ...] = ()
    """The others, in the order in which they were looked at."""

    traits: Traits = Traits()
    basis: Basis | None = None
    """What it was chosen by; nothing is said of choices that were made before this was kept."""


class AdaptiveResult(Wire):
    """What a task came to.

    Example:
        `{"outcome": {"reference": "R-7"}, "paradigm": "hybrid", "reasons": ["..."], "mode": "workflow"}`
    """

    outcome: JsonValue
    paradigm: Paradigm
    reasons: tuple[str, ...]
    mode: Mode
    """The mode that the run ended in."""

    workflow: str | None = None
    """The workflow that gave the outcome; none where people did alone."""

    conversations: tuple[ConversationRecord, ...] = ()
    transitions: tuple[Transition, ...] = ()
