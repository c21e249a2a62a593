"""What is counted of runs and conversations; a metric's name is part of what dashboards and alerts rely on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from signals.run import Transition


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that is counted, or whose duration is."""

    name: str
    about: str
    unit: str | None = None
    timed: bool = False
    """Whether its values are durations, in seconds, of which the distribution is kept."""


@dataclass(frozen=True, slots=True)
class Count:
    """A metric grows by a value."""

    metric: Metric
    value: float = 1
    labels: Mapping[str, str] = field(default_factory=dict)


OPENED: Final = Metric("parley_conversations_opened", "Conversations that were opened")
ENDED: Final = Metric("parley_conversations_ended", "Conversations that ended, by stop reason")
TURNS: Final = Metric("parley_turns", "Turns that were recorded, by the kind of who took them")
REJECTIONS: Final = Metric("parley_rejections", "Messages that were not accepted, by the type of the reason")
ADAPTATIONS: Final = Metric("parley_adaptations", "Rules of adaptation that were followed")
FRAGMENTS: Final = Metric("parley_fragments", "Fragments that were asked for, by what became of them")
PERSON_WAITS: Final = Metric("parley_person_wait", "How long a person was waited for who then spoke", timed=True)

ANSWERS: Final = Metric("parley_answer_latency", "How long a language model took, retries included", timed=True)
FAILED_ANSWERS: Final = Metric("parley_answers_failed", "Answers that language models could not give")
TOKENS: Final = Metric("parley_tokens", "Tokens that language models read and wrote")
COST: Final = Metric("parley_cost", "What language models cost, in millionths of a US dollar")

TRANSITIONS: Final = Metric("parley_transitions", "Changes of a run's mode")
TRANSITION_TIMES: Final = Metric("parley_transition_time", "How long a change of mode took", timed=True)
MODE_TIMES: Final = Metric("parley_mode_time", "How long a run was in a mode, until it left it or ended", timed=True)
SELECTIONS: Final = Metric("parley_selections", "How tasks are gone about, by what that was chosen by")
RUNS: Final = Metric("parley_runs", "Runs that ended, by how they were gone about and the mode that they ended in")


def stay(mode: str, since: datetime, until: datetime) -> Count:
    """Count a mode that a run was in."""
    return Count(MODE_TIMES, (until - since).total_seconds(), {"mode": mode})


def moves(transitions: Iterable[Transition], since: datetime) -> Iterator[Count]:
    """Count changes of a run's mode.

    Args:
        transitions: The changes, in their order.
        since: When the run came into the mode that the first one left.
    """
    for change in transitions:
        between: dict[str, str] = {"source": change.source, "target": change.target}
        yield Count(TRANSITIONS, labels={**between, "trigger": change.trigger})
        yield Count(TRANSITION_TIMES, change.seconds, between)
        yield stay(change.source, since, change.at)
        since = change.at
