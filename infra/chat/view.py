"""How a conversation looks in a terminal, in lines of text. Pure; everything that people or models wrote is escaped."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from infra.printable import flat, printable
from signals.conversation import Ended, MessageKind, Proposal, Recorded, Status, Transcript
from signals.messages import Answer, Disposition
from signals.participants import Participant

CONTINUED: Final = "    | "
"""Begins the lines of a message after its first: nobody can make a line that looks like another one's message."""

_DISPOSITIONS: Final = {
    Disposition.HELD: "held: it is recorded when you have the floor",
    Disposition.DUPLICATE: "that was already said; nothing has changed",
}


@dataclass(frozen=True)
class Entry:
    """A message as it is shown."""

    head: str
    """Its number, its time, and who says it to whom."""

    lines: tuple[str, ...]
    """What it says; at least one line."""

    def __str__(self) -> str:
        first, *others = self.lines
        return "\n".join([f"{self.head} {first}", *(f"{CONTINUED}{line}" for line in others)])


def entry(message: Recorded, proposals: Mapping[int, Proposal] | None = None) -> Entry:
    """Show a message.

    Args:
        message: What was recorded.
        proposals: The open ones, by number: a message that puts one forward shows its outcome.
    """
    head = f"#{message.seq} {message.at.astimezone():%H:%M}"
    marks = [
        f"to {_names(message.to)}" if message.to else "",
        f"answers #{message.in_reply_to}" if message.in_reply_to else "",
        f"about {flat(message.topic, 64)}" if message.topic else "",
    ]
    told = ", ".join(mark for mark in marks if mark)
    who = flat(message.speaker, 64) if message.speaker else "*"
    head += f" {who} ({told})" if told else f" {who}"
    lines = (printable(message.text).split("\n") or [""]) if message.kind is MessageKind.TURN else [flat(message.text)]
    proposal = (proposals or {}).get(message.proposal or 0)
    if message.kind is MessageKind.PROPOSAL and message.proposal:
        lines += [as_json(proposal.outcome)] if proposal else []
    return Entry(f"{head}:" if message.speaker else head, tuple(lines))


def heading(status: Status) -> Iterator[str]:
    """Show what a conversation is about, and who is there."""
    yield f"{flat(status.topic)} ({flat(status.conversation, 200)})"
    yield from who(status)


def missed(transcript: Transcript, left_out: int) -> Iterator[str]:
    """Say what is not shown before the first message.

    Args:
        transcript: The messages that are shown next.
        left_out: How many before them aren't.
    """
    command = f"temporal parley transcript {flat(transcript.conversation, 200)}"
    yield f"-- {_counted(left_out, 'message')} left out here; all of them: {command}"
    if transcript.summary:
        yield f"-- in short: {flat(transcript.summary, 2000)}"


def who(status: Status) -> Iterator[str]:
    """List the participants, and what each is doing."""
    for person in status.participants:
        doing = [
            "has the floor" if status.floor == person.id else "",
            "is waited for" if person.id in status.awaiting else "",
            "is replying" if person.id in status.replying else "",
        ]
        told = [f"{flat(person.role, 64)}, {person.kind}", *(what for what in doing if what)]
        name = f" ({flat(person.name, 200)})" if person.name else ""
        yield f"   {flat(person.id, 64)}{name}: {', '.join(told)}"


def proposals(status: Status) -> Iterator[str]:
    """List what may be voted on."""
    for proposal in status.proposals:
        votes = [
            f"approved by {_names(proposal.approved_by)}" if proposal.approved_by else "",
            f"refused by {_names(proposal.refused_by)}" if proposal.refused_by else "",
        ]
        told = "; ".join(vote for vote in votes if vote)
        yield f"   {proposal.number}. {flat(proposal.speaker, 64)}: {as_json(proposal.outcome)} ({told})"
    if not status.proposals:
        yield "   nothing is proposed"


def standing(status: Status, speaker: str) -> str:
    """Say in a line who is waited for, has the floor, or is replying."""
    awaited = [name for name in status.awaiting if name != speaker]
    has_floor = status.floor not in (None, speaker, *awaited, *status.replying)
    facts = [
        "it is your turn" if status.floor == speaker else "",
        "you are waited for" if speaker in status.awaiting and status.floor != speaker else "",
        f"{_name(status, status.floor)} has the floor" if has_floor else "",
        f"waits for {', '.join(_name(status, name) for name in awaited)}" if awaited else "",
        f"{', '.join(_name(status, name) for name in status.replying)} is replying" if status.replying else "",
        f"{_counted(status.held, 'turn')} held" if status.held else "",
        f"{_counted(len(status.proposals), 'proposal')} to vote on" if status.proposals else "",
    ]
    return " · ".join(fact for fact in facts if fact) or "anybody may speak"


def ending(ended: Ended) -> Iterator[str]:
    """Say how it ended."""
    yield f"-- ended ({ended.stop}): {flat(ended.reason)}"
    if ended.outcome is not None:
        by = f", by {_names(ended.decided_by)}" if ended.decided_by else ""
        yield f"-- outcome{by}: {as_json(ended.outcome)}"


def answered(answer: Answer) -> str | None:
    """Say what became of an accepted message; nothing where the transcript shows it."""
    if answer.disposition is Disposition.RECORDED:
        return None if answer.seq else "done"
    return _DISPOSITIONS[answer.disposition]


def as_json(value: JsonValue) -> str:
    """Show JSON on one line, all of it: people decide by it."""
    return flat(json.dumps(value, ensure_ascii=False), 20_000)


def _name(status: Status, name: str | None) -> str:
    known: dict[str, Participant] = {person.id: person for person in status.participants}
    return flat(known[name].label if name in known else name or "", 64)


def _names(names: Iterable[str]) -> str:
    return ", ".join(flat(name, 64) for name in names)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
