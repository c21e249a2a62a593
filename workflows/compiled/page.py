"""A run's page in the Web UI: where it stands, its conversations, how it changed mode, and what to type."""

import json
from typing import Final

from signals.adaptive import Selection
from signals.conversation import Rejections
from signals.run import Checkpoint, ConversationRecord, StepProgress, StepStatus, Transition
from workflows.compiled.record import RunRecord
from workflows.conversation.page import signal_command
from workflows.markdown import commands, escape, table

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

SHOWN_TRANSITIONS: Final = 20


def page(record: RunRecord, rejections: Rejections, selection: Selection | None = None) -> str:
    """Draw the page, as Markdown. Everything that people or models wrote is escaped."""
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
        rows = [_transition(transition) for transition in record.transitions[-SHOWN_TRANSITIONS:]]
        note = f"{earlier} earlier changes are in the query `transitions`.\n\n" if earlier > 0 else ""
        parts += ["## Modes", note + table(["at", "from", "to", "trigger", "reason", "took"], rows)]
    if rejections.total:
        rows = [[f"{r.at:%H:%M:%S}", escape(r.signal), r.type, escape(r.reason)] for r in rejections.recent[-5:]]
        parts += [f"## Not accepted ({rejections.total})", table(["at", "signal", "why", "reason"], rows)]
    if record.checkpoints:
        parts += [
            "## Checkpoints",
            commands([reset_command(record.run, checkpoint) for checkpoint in record.checkpoints]),
        ]
    parts += ["## Look closer", commands(_commands(record))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _standing(record: RunRecord) -> str:
    done = sum(progress.status is StepStatus.DONE for progress in record.steps.values())
    state = "Done" if record.done else f"In mode **{record.mode}**"
    return f"{state} · {done} of {len(record.steps)} steps done"


def _chosen(selection: Selection) -> str:
    reasons = escape("; ".join(selection.reasons), 1000)
    return f"Gone about as **{selection.paradigm}** (sure to {selection.confidence:.2f}): {reasons}"


def _step(progress: StepProgress, about: str) -> list[str]:
    took = ""
    if progress.started and progress.ended:
        took = f"{(progress.ended - progress.started).total_seconds():.1f} s"
    told = f"{escape(about)} **{escape(progress.error)}**" if progress.error else escape(about)
    return [_MARKS[progress.status], escape(progress.step), told, took]


def _transition(transition: Transition) -> list[str]:
    cause = f": {escape(transition.cause, 100)}" if transition.cause else ""
    by = f" by {escape(transition.requested_by, 100)}" if transition.requested_by else ""
    took = f"{transition.seconds:.1f} s" if transition.seconds else ""
    trigger = f"{transition.trigger}{cause}{by}"
    return [f"{transition.at:%H:%M:%S}", transition.source, transition.target, trigger, escape(transition.reason), took]


def _conversation(record: ConversationRecord) -> list[str]:
    if record.closed is None:
        ended, outcome = "**open**", ""
    else:
        ended = f"{record.stop} after {record.turns} turns" if record.stop else "broken off"
        shown = json.dumps(record.outcome, ensure_ascii=False)
        outcome = ("fallback: " if record.fallback else "") + escape(shown)
    return [escape(record.id), escape(", ".join(record.people)), escape(record.because), ended, outcome]


def _commands(record: RunRecord) -> list[list[str]]:
    query = ["temporal", "workflow", "query", "--workflow-id"]
    lines = [[*query, record.run, "--type", "progress"]]
    for conversation in record.open_conversations:
        lines.append([*query, conversation.id, "--type", "transcript"])
        lines += [
            signal_command(conversation.id, "turn", {"speaker": who, "text": "..."}) for who in conversation.people[:1]
        ]
    return lines


def reset_command(run: str, checkpoint: Checkpoint) -> list[str]:
    """The words of the command that takes a run back to a checkpoint."""
    return [
        *("temporal", "workflow", "reset", "--workflow-id", run, "--event-id", str(checkpoint.event)),
        *("--reason", f"back to {checkpoint.step}"),
    ]
