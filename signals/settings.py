"""What a run depends on beside its input: the `[execution]` tables of the settings, which its history pins."""

from enum import StrEnum
from typing import Final

from pydantic import Field

from signals.fragments import FragmentOffer
from signals.modes import Mode, Paradigm, Rules
from signals.wire import Identifier, Wire

MAX_PARTICIPANTS: Final = 200
"""How many may be in one conversation, whatever is set."""


class ValidationLevel(StrEnum):
    """How much is held against a workflow."""

    STRICT = "strict"
    """A worker refuses workflows of which the compiler says anything, warnings too, and each step's result is held
    to its annotation before others are given it."""

    STANDARD = "standard"
    """A worker refuses workflows with errors; results are taken as they are."""

    LENIENT = "lenient"
    """A worker runs whatever can be planned, and warns of what the compiler says; results are taken as they are."""


class WorkflowSettings(Wire):
    """`[execution.workflow]`: how steps are run."""

    validation_level: ValidationLevel = ValidationLevel.STRICT
    """How much is held against a workflow: `strict`, `standard` or `lenient`."""

    optimization: bool = True
    """Run steps that don't need each other at the same time; without it one after the other, in the order of the plan,
    which is easier to follow."""

    checkpointing: bool = True
    """Note the moments that a run can be taken back to."""


class ConversationSettings(Wire):
    """`[execution.conversation]`: what a conversation is like where its setup doesn't say."""

    default_coordination: Identifier = "turn_based"
    """The `kind` of the way of taking turns; one that can do without settings of its own."""

    participant_limit: int = Field(default=50, ge=1, le=MAX_PARTICIPANTS)
    """How many may be there at a time."""

    timeout_minutes: float = Field(default=30, gt=0, le=10 * 365 * 24 * 60)
    """After how long it ends by itself."""

    signed: bool = False
    """Whether all people need a key, and must sign what they send."""


class HybridSettings(Wire):
    """`[execution.hybrid]`: how workflow and conversation are weighed against each other."""

    prefer_workflow: bool = True
    """Take the workflow where both would do; else the conversation."""

    conversation_threshold: float = Field(default=0.7, ge=0, le=1)
    """What is known with less confidence than this is talked about."""

    auto_switch: bool = True
    """Change the mode when a rule says so; else only when somebody asks for it."""


class TransitionSettings(Wire):
    """`[execution.transitions]`: how a run changes its mode."""

    preserve_state: bool = True
    """Take along what the run has found out so far; else it begins anew in the other mode."""

    transition_timeout_seconds: float = Field(default=10, gt=0, le=24 * 60 * 60)
    """How long a change may wait for what is under way."""

    fallback_mode: Mode = Mode.CONVERSATION
    """The mode that a run is in after a change that took too long."""

    rules: Rules | None = None
    """What moves runs from mode to mode, in place of the rules that Parley comes with."""


class Settings(Wire):
    """`[execution]`: how runs behave. A run keeps to those that held when it began.

    Example:
        `{"default_mode": "adaptive", "conversation": {"timeout_minutes": 60}}`
    """

    default_mode: Paradigm = Paradigm.ADAPTIVE
    """How a task is gone about that doesn't say; `adaptive` chooses by what the task is like."""

    workflow: WorkflowSettings = WorkflowSettings()
    conversation: ConversationSettings = ConversationSettings()
    hybrid: HybridSettings = HybridSettings()
    transitions: TransitionSettings = TransitionSettings()


class PinRequest(Wire):
    """What a run asks when it begins.

    Example:
        `{"fragments": {"fragments.0": "OrderStatus"}, "models": [null, "openai:gpt-5"]}`
    """

    fragments: dict[str, Identifier] = Field(default={})
    """The fragments that it names, by their places in its input."""

    models: tuple[str | None, ...] = ()
    """The language models that may be asked before long, to be made ready meanwhile; null is the worker's own."""


class Pinned(Wire):
    """What a run keeps to from its beginning to its end, whatever is changed meanwhile.

    Example:
        `{"settings": {"default_mode": "adaptive"}}`
    """

    settings: Settings = Settings()
    fragments: tuple[FragmentOffer, ...] = ()
    """What those that it named say of themselves, in their order."""
