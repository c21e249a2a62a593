"""A run's page in the Web UI: where it stands, its conversations, how it changed mode, and what to type."""

from collections.abc import Collection
from typing import Final

from signals.adaptive import Selection
from signals.conversation import Rejections
from signals.run import Checkpoint, ConversationRecord, StepProgress, StepStatus, Transition
from workflows.compiled.record import RunRecord
from workflows.conversation.page import chat_command, signal_command
from workflows.markdown import commands, counted, escape, json_code, moment, moments, table, took

_MARKS: Final = {
    StepStatus.PENDING: "·",
    StepStatus.RUNNING: "▶",
    StepStatus.WAITING: "…",
    StepStatus.DONE: "✓",
    StepStatus.FAILED: "✗",
    StepStatus.CANCELLED: "⊘",
    StepStatus.SKIPPED: "-",
    StepStatus.COMPENSATED: "↩",
}

_UNDER_WAY: Final = (StepStatus.RUNNING, StepStatus.WAITING)

SHOWN_TRANSITIONS: Final = 20


def page(
    record: RunRecord,
    rejections: Rejections,
    selection: Selection | None = None,
    signers: Collection[str] = (),
) -> str:
    """Draw the page, as Markdown. Everything that people or models wrote is escaped.

    Args:
        record: What became of the steps and the conversations.
        rejections: What was not accepted.
        selection: How the run is gone about, where that was chosen.
        signers: Who must sign what they send.
    """
    about = {step.name: step.about for step in record.plan.steps}
    parts = [
        f"# {escape(record.plan.name)}",
        escape(record.plan.about),
        _standing(record),
        _chosen(selection) if selection else "",
        "## Steps",
        table(["", "step", "what it does", "took"], [_step(s, about[s.step]) for s in record.steps.values()]),
    ]
    if record.conversations:
        rows = [_conversation(conversation) for conversation in record.conversations]
        parts += ["## Conversations", table(["conversation", "people", "because", "ended", "outcome"], rows)]
    if record.transitions:
        earlier = len(record.transitions) - SHOWN_TRANSITIONS
        shown = record.transitions[-SHOWN_TRANSITIONS:]
        times = moments(transition.at for transition in shown)
        rows = [[at, *_transition(transition)] for at, transition in zip(times, shown, strict=True)]
        note = f"{earlier} earlier changes are in the query `transitions`.\n\n" if earlier > 0 else ""
        parts += ["## Modes", note + table(["at", "from", "to", "trigger", "reason", "took"], rows)]
    if rejections.total:
        last = rejections.recent[-5:]
        times = moments(r.at for r in last)
        rows = [[at, escape(r.signal), r.type, escape(r.reason)] for at, r in zip(times, last, strict=True)]
        parts += [f"## Not accepted ({rejections.total})", table(["at", "signal", "why", "reason"], rows)]
    if record.checkpoints:
        parts += [
            "## Checkpoints",
            commands([reset_command(record.run, checkpoint) for checkpoint in record.checkpoints]),
        ]
    parts += ["## Look closer", commands(_commands(record, signers))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _standing(record: RunRecord) -> str:
    done = sum(progress.status is StepStatus.DONE for progress in record.steps.values())
    state = "Done" if record.done else f"In mode **{record.mode}**"
    facts = [state, f"{done} of {len(record.steps)} steps done", *map(_talking, record.open_conversations)]
    return " · ".join(facts)


def _talking(conversation: ConversationRecord) -> str:
    people = ", ".join(f"**{escape(name)}**" for name in conversation.people) or "AI participants"
    return f"{people} talk in {escape(conversation.id, 1000)} since {moment(conversation.opened)} UTC"


def _chosen(selection: Selection) -> str:
    reasons = escape("; ".join(selection.reasons), 1000)
    return f"Gone about as **{selection.paradigm}** (sure to {selection.confidence:.2f}): {reasons}"


def _step(progress: StepProgress, about: str) -> list[str]:
    time = ""
    if progress.started and progress.ended:
        time = took((progress.ended - progress.started).total_seconds())
    elif progress.started and progress.status in _UNDER_WAY:
        time = f"since {moment(progress.started)}"
    told = f"{escape(about)} **{escape(progress.error)}**" if progress.error else escape(about)
    return [_MARKS[progress.status], escape(progress.step), told, time]


def _transition(transition: Transition) -> list[str]:
    cause = f": {escape(transition.cause, 100)}" if transition.cause else ""
    by = f" by {escape(transition.requested_by, 100)}" if transition.requested_by else ""
    trigger = f"{transition.trigger}{cause}{by}"
    time = took(transition.seconds) if transition.seconds else ""
    return [transition.source, transition.target, trigger, escape(transition.reason), time]


def _conversation(record: ConversationRecord) -> list[str]:
    if record.closed is None:
        ended, outcome = "**open**", ""
    else:
        ended = f"{record.stop} after {counted(record.turns, 'turn')}" if record.stop else "broken off"
        outcome = ("fallback: " if record.fallback else "") + json_code(record.outcome)
    return [escape(record.id), escape(", ".join(record.people)), escape(record.because), ended, outcome]


def _commands(record: RunRecord, signers: Collection[str]) -> list[list[str]]:
    query = ["temporal", "workflow", "query", "--workflow-id"]
    lines = [[*query, record.run, "--type", "progress"]]
    for conversation in record.open_conversations:
        lines.append([*query, conversation.id, "--type", "transcript"])
        lines += [
            chat_command(conversation.id, who, signs=True)
            if who in signers
            else signal_command(conversation.id, "turn", {"speaker": who, "text": "..."})
            for who in conversation.people[:1]
        ]
    return lines


def reset_command(run: str, checkpoint: Checkpoint) -> list[str]:
    """The words of the command that takes a run back to a checkpoint."""
    return [
        *("temporal", "workflow", "reset", "--workflow-id", run, "--event-id", str(checkpoint.event)),
        *("--reason", f"back to {checkpoint.step}"),
    ]
