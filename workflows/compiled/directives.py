"""What a step, or a conversation, wants the run to do next, beside what its steps do by themselves. Pure data."""

from dataclasses import dataclass, field

from signals.modes import Mode


@dataclass(frozen=True)
class GoOn:
    """Go on with what was decided."""

    values: dict[str, object] = field(default_factory=dict)
    """Decided results by step, as the types that the steps give."""

    resume_at: str | None = None
    """The step to go on at: it, and all that needs it, is run anew."""

    leaving: str | None = None
    """The step whose conversation says so: what lies between it and the one to go on at is skipped."""

    afresh: bool = False
    """Whether all steps are run anew, but for those whose results were decided."""


@dataclass(frozen=True)
class End:
    """End the run with a result that was decided."""

    value: object


@dataclass(frozen=True)
class Talk:
    """Go on in another mode: a conversation point gave no outcome, and that is its fallback."""

    to: Mode
    reason: str
    cause: str
    """The point."""

    leaving: str | None
    """The step whose conversation it was; it begins anew later."""


Directive = GoOn | End | Talk
