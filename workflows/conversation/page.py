"""The conversation's page in the Web UI: where it stands, what was said, who is waited for, how to answer."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from signals.conversation import MessageKind, Recorded, StopReason
from signals.fragments import FragmentOffer
from signals.participants import Permission
from workflows.conversation.context import required_by
from workflows.conversation.invoked import asking
from workflows.conversation.machine import awaiting, next_due
from workflows.conversation.offers import may_ask, offered
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState
from workflows.markdown import commands, counted, escape, json_code, moment, moments, table

SHOWN_MESSAGES: Final = 15


def page(setup: ConversationSetup, state: ConversationState, now: datetime) -> str:
    """Draw the page, as Markdown. Everything that people or models wrote is escaped."""
    parts = [f"# {escape(setup.topic)}", _standing(setup, state, now), "## Transcript", _transcript(state)]
    if state.summary:
        parts += ["## Before that", escape(state.summary, 2000)]
    parts += ["## Taking part", _members(state)]
    if state.proposals and not state.ended:
        parts += ["## Proposals", _proposals(state)]
    if not state.ended and (offers := offered(setup, state)):
        parts += ["## Fragments", _offers(offers)]
    if state.invocations:
        parts += ["## Fragments asked for", _invocations(state)]
    if state.rejections.total:
        parts += [f"## Not accepted ({state.rejections.total})", _rejections(state)]
    if not state.ended:
        parts += ["## Answer", _answers(setup, state)]
    return "\n\n".join(parts) + "\n"


def _standing(setup: ConversationSetup, state: ConversationState, now: datetime) -> str:
    if state.ended:
        lines = [f"**Ended** ({state.ended.stop}): {escape(state.ended.reason)}"]
        if state.ended.decided_by and state.ended.stop is not StopReason.CLOSED:
            lines.append(f"**Outcome**: {json_code(state.ended.outcome, 2000)}")
        return "\n\n".join(lines)
    waits = ", ".join(f"**{_who(state, name)}**" for name in awaiting(state))
    since = state.wait.since if state.wait else state.last_activity
    working = ", ".join(_who(state, name) for name in state.replying)
    facts = [
        "**Open**",
        counted(state.turns, "turn"),
        f"coordination: {escape(setup.coordination_in(state).kind)}",
        f"waits for {waits} since {moment(since)} UTC" if waits else "",
        f"{working} is replying" if working else "",
        "a language model chooses who is next" if state.choosing else "",
        f"waits for {escape(state.busy.fragment)}" if state.busy else "",
        "language models have used up their budget" if state.muted else "",
        f"{counted(len(state.held), 'turn')} held" if state.held else "",
        f"ends by itself {moment(next_due(setup, state, now))} UTC",
    ]
    return " · ".join(fact for fact in facts if fact)


def _transcript(state: ConversationState) -> str:
    shown = state.messages[-SHOWN_MESSAGES:]
    earlier = state.seq - len(shown)
    note = f"{earlier} earlier messages are in the history.\n\n" if earlier else ""
    if not shown:
        return "Nothing was said yet."
    times = moments(message.at for message in shown)
    rows = [_row(state, message, at) for message, at in zip(shown, times, strict=True)]
    return note + table(["#", "at", "who", "said"], rows)


def _row(state: ConversationState, message: Recorded, at: str) -> list[str]:
    text = escape(message.text)
    if message.kind is not MessageKind.TURN:
        text = f"*{text}*"
    if message.to:
        text = f"(to {', '.join(_who(state, name) for name in message.to)}) {text}"
    who = _who(state, message.speaker) if message.speaker else ""
    return [str(message.seq), at, who, text]


def _who(state: ConversationState, name: str) -> str:
    member = state.members.get(name)
    return escape(f"{member.participant.label} ({member.participant.role})" if member else name, 100)


def _members(state: ConversationState) -> str:
    rows = [
        [
            _who(state, name),
            member.participant.kind,
            escape(", ".join(member.participant.can)),
            str(member.turns),
            _doing(state, name),
        ]
        for name, member in state.members.items()
    ]
    return table(["who", "is", "may", "turns", "now"], rows)


def _doing(state: ConversationState, name: str) -> str:
    member = state.members[name]
    if not member.present:
        return "left"
    if name in state.replying:
        return "replying"
    if name == state.floor:
        return "has the floor"
    if name in state.offered:
        return "may take the floor"
    return "has handed over" if member.stood_down else ""


def _proposals(state: ConversationState) -> str:
    rows = [
        [
            str(proposal.number),
            _who(state, proposal.speaker),
            json_code(proposal.outcome),
            escape(", ".join(proposal.approved_by)),
            escape(", ".join(proposal.refused_by)),
        ]
        for proposal in state.proposals
    ]
    return table(["#", "by", "outcome", "approved by", "refused by"], rows)


def _offers(offers: Mapping[str, FragmentOffer]) -> str:
    rows = [
        [
            escape(offer.name),
            escape(offer.about),
            escape(", ".join(offer.roles) or "whoever may invoke"),
            escape(", ".join(name for name in required_by(offer.context) if name not in offer.bound)),
            ", ".join(offer.modes),
        ]
        for offer in offers.values()
    ]
    return table(["fragment", "does", "for", "needs", "runs"], rows)


def _invocations(state: ConversationState) -> str:
    rows = [
        [
            str(one.number),
            escape(one.fragment),
            _who(state, one.speaker),
            one.mode,
            one.status + (f": {escape(', '.join(one.missing))}" if one.missing else ""),
            escape(one.workflow_id or ""),
        ]
        for one in state.invocations
    ]
    return table(["#", "fragment", "by", "runs", "now", "workflow"], rows)


def _rejections(state: ConversationState) -> str:
    last = state.rejections.recent[-5:]
    rows = [
        [at, escape(r.signal), escape(r.speaker or "?"), r.type, escape(r.reason)]
        for at, r in zip(moments(r.at for r in last), last, strict=True)
    ]
    return table(["at", "signal", "from", "why", "reason"], rows)


def _answers(setup: ConversationSetup, state: ConversationState) -> str:
    name = next(iter(awaiting(state)), None) or next(iter(state.members))
    lines = [chat_command(state.conversation, name, signs=_signs(state, name))]
    for speaker, signal, payload in _messages(setup, state, name):
        if not _signs(state, speaker):  # else it must be signed, which chat does
            lines.append(signal_command(state.conversation, signal, {"speaker": speaker, **payload}))
    return commands(lines)


def _signs(state: ConversationState, name: str) -> bool:
    return state.members[name].participant.key is not None


def _messages(
    setup: ConversationSetup, state: ConversationState, name: str
) -> Iterator[tuple[str, str, dict[str, JsonValue]]]:
    """What may be sent now: by whom, which signal, and with what."""
    yield name, "turn", {"text": "..."}
    other = next((one for one in state.speakers if one != name), None)
    if other is not None and state.floor == name and name in state.roster.moderators:
        yield name, "grant", {"to": other}
    for proposal in state.proposals[-1:]:
        voted = proposal.approved_by.keys() | proposal.refused_by.keys()
        voter = next((one for one in state.speakers if state.members[one].is_person and one not in voted), name)
        yield voter, "vote", {"proposal": proposal.number, "approve": True}
    decider = next((m.participant.id for m in state.present if m.participant.may(Permission.DECIDE)), None)
    if decider is not None:
        yield decider, "propose", {"outcome": "..."}
    for asked in asking(state)[:1]:
        yield asked.speaker, "turn", {"text": "...", "in_reply_to": asked.seq}
    asker = next((m.participant for m in state.present if m.is_person and m.participant.may(Permission.INVOKE)), None)
    offer = next((one for one in offered(setup, state).values() if asker and may_ask(asker, one)), None)
    if asker is not None and offer is not None:
        yield asker.id, "invoke", {"fragment": offer.name, "arguments": {}}


def chat_command(workflow_id: str, name: str, *, signs: bool) -> list[str]:
    """The words of the command that takes part in a conversation."""
    return ["temporal", "parley", "chat", workflow_id, "--as", name, *(["--key", "FILE"] if signs else [])]


def signal_command(workflow_id: str, signal: str, payload: Mapping[str, JsonValue]) -> list[str]:
    """The words of the command that sends a signal."""
    return [
        *("temporal", "workflow", "signal", "--workflow-id", workflow_id),
        *("--name", signal, "--input", json.dumps(payload)),
    ]
