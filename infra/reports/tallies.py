"""What a report says: the rows of its tables, as JSON has them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from signals.conversation import Tokens


class Row(BaseModel):
    """A frozen model whose attributes say what they are."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Endings(Row):
    """How runs ended."""

    completed: int = 0
    failed: int = 0
    """They failed, or their time was up."""

    stopped: int = 0
    """Somebody cancelled or terminated them."""

    open: int = 0

    @property
    def runs(self) -> int:
        """How many there are."""
        return self.completed + self.failed + self.stopped + self.open

    @property
    def success(self) -> float | None:
        """The share of those that ended which completed; none where none has ended."""
        ended = self.runs - self.open
        return self.completed / ended if ended else None


class Durations(Row):
    """How long something took, in seconds."""

    count: int = 0
    total: float = 0
    median: float | None = None
    longest: float | None = None


class WorkflowRow(Row):
    """The runs of one workflow type."""

    workflow: str
    ended: Endings
    talked: int = 0
    """How many held a conversation."""

    took: Durations
    """Of those that have completed."""


class Count(Row):
    """How often something was said."""

    text: str
    count: int


class ParadigmRow(Row):
    """The runs for which one paradigm was chosen."""

    paradigm: str
    ended: Endings
    took: Durations
    """Of those that have completed."""

    reasons: tuple[Count, ...]
    """Why, the most frequent first."""


class ModeRow(Row):
    """The runs that were in one mode."""

    mode: str
    ended: Endings
    stays: Durations
    """How long runs were in it each time; one that still is, up to now."""


class TransitionRow(Row):
    """Changes of mode of one kind."""

    trigger: str | None
    """None where it isn't known: it was recorded before triggers were."""

    source: str
    target: str
    count: int
    decided: int
    """How many have a conversation, opened or ended by them, in which an outcome was decided."""

    undecided: int
    """The same, where nothing was."""

    talking: int
    """The same, where people still talk."""

    ended: Endings
    """What became of the runs, counted for each change."""


class WaitRow(Row):
    """How long one person was waited for, at one place."""

    workflow: str | None
    """The workflow whose step waited; none for a conversation that no run holds."""

    step: str | None
    point: str | None
    person: str
    waits: Durations
    """Each time; one that lasts, up to now."""

    waiting: int = 0
    """How many conversations wait now."""


class Cost(Row):
    """What conversations cost."""

    tokens: Tokens = Tokens()
    cost: float = 0
    """US dollars, as far as prices are known."""

    events: int = 0
    """The events that they wrote into Temporal's history."""

    bytes: int = 0
    """Their size."""


class CostRow(Cost):
    """What one conversation cost."""

    conversation: str
    workflow: str | None = None
    point: str | None = None


class Totals(Cost):
    """What all conversations cost together."""

    conversations: int = 0


class Report(Row):
    """What happened to the runs of a namespace."""

    namespace: str
    query: str = ""
    """The visibility query by which runs were found."""

    made: datetime
    runs: int = 0
    """How many runs were counted, conversations that a run holds left out."""

    more: bool = False
    """Whether there are more than the limit let in: these are the latest."""

    foreign: dict[str, int] = Field(default={})
    """Other programs' workflows, left out, by type."""

    unread: dict[str, int] = Field(default={})
    """Histories in which something could not be read, by reason; the rest of each is counted."""

    workflows: tuple[WorkflowRow, ...] = ()
    paradigms: tuple[ParadigmRow, ...] = ()
    modes: tuple[ModeRow, ...] = ()
    transitions: tuple[TransitionRow, ...] = ()
    waits: tuple[WaitRow, ...] = ()
    """Where people were waited for longest, first."""

    conversations: tuple[CostRow, ...] = ()
    """The dearest ones first."""

    all_conversations: Totals = Totals()
