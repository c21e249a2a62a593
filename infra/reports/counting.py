"""Counts what happened to runs. Pure; of each run it keeps only numbers."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from heapq import nlargest
from statistics import median
from typing import Final, TypeVar

from infra.reports.facts import Ending, Part, Span, Talk, whole
from infra.reports.tallies import (
    CostRow,
    Count,
    Durations,
    Endings,
    ModeRow,
    ParadigmRow,
    Report,
    Totals,
    TransitionRow,
    WaitRow,
    WorkflowRow,
)
from signals.names import WorkflowType

R = TypeVar("R")

MOST_ROWS: Final = 100
"""How many conversations, and places where people were waited for, are named; the rest is in the totals."""

MOST_REASONS: Final = 10
"""How many reasons are told for a paradigm."""


class _Times:
    """Collects durations."""

    def __init__(self) -> None:
        self._seconds = array("d")

    def add(self, since: datetime, until: datetime) -> None:
        self._seconds.append(max((until - since).total_seconds(), 0))

    @property
    def total(self) -> float:
        return sum(self._seconds)

    def summary(self) -> Durations:
        if not self._seconds:
            return Durations()
        return Durations(
            count=len(self._seconds),
            total=self.total,
            median=median(self._seconds),
            longest=max(self._seconds),
        )


class _Runs:
    """Collects how runs of one kind ended."""

    def __init__(self) -> None:
        self.endings: Counter[Ending] = Counter()
        self.took = _Times()
        self.reasons: Counter[str] = Counter()
        self.talked = 0

    def add(self, run: Part) -> None:
        self.endings[run.ending] += 1
        self.talked += bool(run.talks)
        if run.ending is Ending.COMPLETED and run.closed:
            self.took.add(run.started, run.closed)

    @property
    def ended(self) -> Endings:
        return _endings(self.endings)


class _CameTo(StrEnum):
    """What the conversation of a change of mode came to."""

    DECIDED = "decided"
    UNDECIDED = "undecided"
    TALKING = "talking"


class _Moves:
    """Collects changes of mode of one kind."""

    def __init__(self) -> None:
        self.endings: Counter[Ending] = Counter()
        self.came_to: Counter[_CameTo | None] = Counter()


class _Waiting:
    """Collects how long somebody was waited for at one place."""

    def __init__(self) -> None:
        self.times = _Times()
        self.now = 0


_Place = tuple[str | None, str | None, str | None, str]
_Kind = tuple[str | None, str, str]


class Counting:
    """Takes histories one after the other, in any order.

    Args:
        now: Up to when that is counted which lasts.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._chains: defaultdict[str, list[Part]] = defaultdict(list)
        """The parts of runs that have more than one, as far as they are known."""

        self._workflows: defaultdict[str, _Runs] = defaultdict(_Runs)
        self._paradigms: defaultdict[str, _Runs] = defaultdict(_Runs)
        self._modes: defaultdict[str, _Runs] = defaultdict(_Runs)
        self._stays: defaultdict[str, _Times] = defaultdict(_Times)
        self._moves: defaultdict[_Kind, _Moves] = defaultdict(_Moves)
        self._waits: defaultdict[_Place, _Waiting] = defaultdict(_Waiting)
        self._dearest: list[CostRow] = []
        self._totals = Totals()
        self._foreign: Counter[str] = Counter()
        self._unread: Counter[str] = Counter()

    def add(self, part: Part) -> None:
        """Count a history; of a run that has several, when all are known."""
        # What was terminated may have been reset, and go on.
        if part.ending in (Ending.CONTINUED, Ending.STOPPED) or part.chain != part.run:
            self._chains[part.chain].append(part)
        else:
            self._count(part)

    def add_foreign(self, workflow: str) -> None:
        """Note another program's workflow."""
        self._foreign[workflow] += 1

    def add_unread(self, reason: str) -> None:
        """Note a history in which something can't be read."""
        self._unread[reason] += 1

    def report(self, namespace: str, query: str, *, more: bool) -> Report:
        """Sum up; nothing may be added any more.

        Args:
            namespace: Whose runs they are.
            query: By what they were found.
            more: Whether some were left out.
        """
        for parts in self._chains.values():
            self._count(whole(parts))
        self._chains.clear()
        return Report(
            namespace=namespace,
            query=query,
            made=self._now,
            more=more,
            runs=sum(runs.ended.runs for runs in self._workflows.values()),
            foreign=dict(self._foreign.most_common()),
            unread=dict(self._unread.most_common()),
            workflows=_rows(self._workflows, _workflow_row),
            paradigms=_rows(self._paradigms, _paradigm_row),
            modes=_rows(self._modes, self._mode_row),
            transitions=tuple(
                _transition_row(kind, moves)
                for kind, moves in sorted(
                    self._moves.items(), key=lambda item: (-item[1].endings.total(), item[0][1:], item[0][0] or "")
                )
            ),
            waits=tuple(
                _wait_row(place, waiting)
                for place, waiting in nlargest(MOST_ROWS, self._waits.items(), key=lambda item: item[1].times.total)
            ),
            conversations=tuple(self._dearest),
            all_conversations=self._totals,
        )

    def _count(self, run: Part) -> None:
        if run.workflow == WorkflowType.CONVERSATION:
            self._count_conversation(run)
        if run.held_for is None:
            self._count_run(run)

    def _count_run(self, run: Part) -> None:
        self._workflows[run.workflow].add(run)
        if run.selection:
            chosen = self._paradigms[run.selection.paradigm]
            chosen.add(run)
            chosen.reasons.update(run.selection.reasons)
        for mode in dict.fromkeys(stay.of for stay in run.stays):
            self._modes[mode].add(run)
        for stay in run.stays:
            self._stays[stay.of].add(stay.since, self._until(run, stay))
        talks = dict(run.talks)
        for move in run.moves if run.told is None else run.told:
            moves = self._moves[move.trigger, move.source, move.target]
            moves.endings[run.ending] += 1
            if talk := talks.get(move.conversation or ""):
                moves.came_to[_came_to(talk)] += 1

    def _count_conversation(self, run: Part) -> None:
        about = run.held_for
        workflow, step, point = (about.workflow, about.step, about.point) if about else (None, None, None)
        for wait in run.waits:
            waiting = self._waits[workflow, step, point, wait.of]
            waiting.times.add(wait.since, self._until(run, wait))
            waiting.now += wait.until is None and run.ending is Ending.OPEN
        row = CostRow(
            conversation=run.id,
            workflow=workflow,
            point=point,
            tokens=run.tokens,
            cost=run.cost,
            events=run.events,
            bytes=run.bytes,
        )
        self._dearest = nlargest(MOST_ROWS, (*self._dearest, row), key=_dear)
        was = self._totals
        self._totals = Totals(
            conversations=was.conversations + 1,
            tokens=was.tokens + row.tokens,
            cost=was.cost + row.cost,
            events=was.events + row.events,
            bytes=was.bytes + row.bytes,
        )

    def _until(self, run: Part, span: Span) -> datetime:
        return span.until or run.closed or self._now

    def _mode_row(self, mode: str, runs: _Runs) -> ModeRow:
        return ModeRow(mode=mode, ended=runs.ended, stays=self._stays[mode].summary())


def _rows(kinds: dict[str, _Runs], row: Callable[[str, _Runs], R]) -> tuple[R, ...]:
    """The rows of some kinds of runs, those with most runs first."""
    ordered = sorted(kinds.items(), key=lambda item: (-item[1].endings.total(), item[0]))
    return tuple(row(name, runs) for name, runs in ordered)


def _workflow_row(workflow: str, runs: _Runs) -> WorkflowRow:
    return WorkflowRow(workflow=workflow, ended=runs.ended, talked=runs.talked, took=runs.took.summary())


def _paradigm_row(paradigm: str, runs: _Runs) -> ParadigmRow:
    reasons = tuple(Count(text=text, count=count) for text, count in runs.reasons.most_common(MOST_REASONS))
    return ParadigmRow(paradigm=paradigm, ended=runs.ended, took=runs.took.summary(), reasons=reasons)


def _transition_row(kind: _Kind, moves: _Moves) -> TransitionRow:
    trigger, source, target = kind
    return TransitionRow(
        trigger=trigger,
        source=source,
        target=target,
        count=moves.endings.total(),
        decided=moves.came_to[_CameTo.DECIDED],
        undecided=moves.came_to[_CameTo.UNDECIDED],
        talking=moves.came_to[_CameTo.TALKING],
        ended=_endings(moves.endings),
    )


def _wait_row(place: _Place, waiting: _Waiting) -> WaitRow:
    workflow, step, point, person = place
    return WaitRow(
        workflow=workflow,
        step=step,
        point=point,
        person=person,
        waits=waiting.times.summary(),
        waiting=waiting.now,
    )


def _endings(counted: Counter[Ending]) -> Endings:
    return Endings(
        completed=counted[Ending.COMPLETED],
        failed=counted[Ending.FAILED],
        stopped=counted[Ending.STOPPED],
        # The part that would say more was left out by the query, or is gone.
        open=counted[Ending.OPEN] + counted[Ending.CONTINUED],
    )


def _came_to(talk: Talk) -> _CameTo | None:
    """What a conversation came to; nothing where that can't be read."""
    if talk.ending is Ending.OPEN:
        return _CameTo.TALKING
    if talk.decided is None:
        return None
    return _CameTo.DECIDED if talk.decided else _CameTo.UNDECIDED


def _dear(row: CostRow) -> tuple[float, int, int]:
    return (row.cost, row.tokens.input + row.tokens.output, row.events)
