"""What a report knows of one run, as its history tells it. Pure data, and how the parts of a long run are put together.

A run that continues as new has a history for each part of it; together they are one run.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from signals.adaptive import Selection
from signals.conversation import Tokens
from signals.run import HeldFor, Transition

NOTHING: Final = Tokens()
"""What is used where no language model is."""


class Ending(StrEnum):
    """Where a run stands, or how it ended."""

    OPEN = "open"
    COMPLETED = "completed"
    FAILED = "failed"
    """It failed, or its time was up."""

    STOPPED = "stopped"
    """Somebody cancelled or terminated it."""

    CONTINUED = "continued"
    """It goes on in another part."""


@dataclass(frozen=True)
class Span:
    """A time that a run was in one mode, or that one person was waited for."""

    of: str
    """The mode, or the person."""

    since: datetime
    until: datetime | None = None
    """None where it lasts, or lasted when this part of the run ended."""


@dataclass(frozen=True)
class Move:
    """A change of a run's mode."""

    source: str
    target: str
    trigger: str | None
    """None where it isn't known: it was recorded before triggers were."""

    conversation: str | None = None
    """The workflow id of the conversation that was opened, or that ended."""

    @classmethod
    def of(cls, transition: Transition) -> "Move":
        """The same, of what a run says of itself."""
        return cls(transition.source, transition.target, transition.trigger, transition.conversation)


@dataclass(frozen=True)
class Talk:
    """A conversation, as the run sees it that holds it."""

    ending: Ending
    decided: bool | None = False
    """Whether its participants made its outcome what it is; None where that can't be read."""


@dataclass(frozen=True)
class Part:
    """One history: a run, or a part of one that continues as new."""

    id: str
    """The workflow id."""

    run: str
    """The run id."""

    chain: str
    """The same in all parts of a run: the run id of the first one."""

    origin: str
    """The run id that its history began with: a run that was reset keeps the one of the run that it replaces."""

    workflow: str
    ending: Ending
    listed: datetime
    """When the server began the history: of a run that was reset, when it was."""

    started: datetime
    """The time of the first event."""

    closed: datetime | None
    held_for: HeldFor | None = None
    """What a conversation is about, where a run holds it."""

    stays: tuple[Span, ...] = ()
    """The modes that it was in."""

    moves: tuple[Move, ...] = ()
    told: tuple[Move, ...] | None = None
    """All changes of mode of the whole run, where its result has them: they say more."""

    waits: tuple[Span, ...] = ()
    """Who was waited for."""

    talks: tuple[tuple[str, Talk], ...] = ()
    """The conversations that it holds, by workflow id."""

    selection: Selection | None = None
    tokens: Tokens = NOTHING
    cost: float = 0
    """US dollars."""

    events: int = 0
    bytes: int = 0


def whole(parts: Iterable[Part]) -> Part:
    """Put a run together from its parts; one that a reset has replaced is left out."""
    latest: dict[str, Part] = {}
    for part in parts:
        known = latest.get(part.origin)
        latest[part.origin] = part if known is None or part.listed > known.listed else known
    ordered = sorted(latest.values(), key=lambda part: part.listed)
    *_, last = ordered
    return replace(
        last,
        started=ordered[0].started,
        stays=_joined([(part.started, part.stays) for part in ordered]),
        moves=tuple(move for part in ordered for move in part.moves),
        waits=_joined([(part.started, part.waits) for part in ordered]),
        talks=tuple(talk for part in ordered for talk in part.talks),
        selection=next((part.selection for part in ordered if part.selection), None),
        tokens=sum((part.tokens for part in ordered), NOTHING),
        cost=sum(part.cost for part in ordered),
        events=sum(part.events for part in ordered),
        bytes=sum(part.bytes for part in ordered),
    )


def _joined(parts: Iterable[tuple[datetime, tuple[Span, ...]]]) -> tuple[Span, ...]:
    """Make one of the times that go on from one part, with when it started, to the next."""
    done: list[Span] = []
    lasting: dict[str, Span] = {}
    for started, spans in parts:
        still: dict[str, Span] = {}
        for span in spans:
            carried = lasting.pop(span.of, None) if span.since == started else None
            joined = replace(span, since=carried.since) if carried else span
            if joined.until is None:
                still[joined.of] = joined
            else:
                done.append(joined)
        done += [replace(span, until=started) for span in lasting.values()]
        lasting = still
    return (*done, *lasting.values())
