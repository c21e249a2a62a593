"""Conversations about a run as a whole, and those that somebody asked for: how they are set up. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pydantic import JsonValue
from pydantic_core import to_json

from signals.context import ConversationState, UniversalContext
from signals.errors import ErrorType, Refusal
from signals.messages import RequestConversation
from signals.participants import Kind, Participant, Permission
from signals.run import StepProgress, StepStatus
from signals.wire import at_most
from workflows.conversation.bounds import Guests
from workflows.conversation.coordination import FreeForm
from workflows.conversation.emergence import Condition, Consensus, Decision
from workflows.conversation.setup import ConversationSetup
from workflows.modes.context import to_workflow

MAX_TOPIC: Final = 500
MAX_FACT_BYTES: Final = 4_000
"""The largest result that people who talk about a run are shown, in bytes of JSON."""

MAX_FACTS_BYTES: Final = 48_000
"""What they are shown in all: below what a setup may have."""

SAID: Final = 5
"""How many of the last messages of an earlier conversation they are told."""


def about_run(
    context: UniversalContext, reason: str, people: Sequence[Participant], outcome: Mapping[str, JsonValue]
) -> ConversationSetup:
    """Set up a conversation about a run as a whole.

    Args:
        context: What the run knows.
        reason: Why people are to talk.
        people: Who takes part.
        outcome: The JSON Schema of what they may decide.
    """
    return ConversationSetup(
        topic=f"{context.core_state.goal}: {reason}"[:MAX_TOPIC],
        participants=tuple(people),
        coordination=FreeForm(),  # people answer when they can, in any order
        emergence=ends_for(people),
        facts=told(context),
        outcome=dict(outcome),
        guests=None,
    )


def who_talks(
    known: Iterable[Participant], requested_by: str | None, limit: int, *, signed: bool
) -> tuple[Participant, ...]:
    """Who takes part in a conversation about a run: who is known to it, and who asked for it.

    Args:
        known: Who is known to the run.
        requested_by: Who asked; nobody where a rule did. Whoever isn't known may decide: they may move the run.
        limit: How many may take part.
        signed: Whether people must sign: who has no key is left out.
    """
    people = {person.id: person for person in known}
    asker: list[Participant] = []
    if requested_by is not None:
        can = (Permission.SPEAK, Permission.DECIDE, Permission.MODERATE)
        new = Participant(id=requested_by, kind=Kind.HUMAN, role="requestor", can=can)
        asker = [people.pop(requested_by, new)]
    return tuple(person for person in (*asker, *people.values()) if person.can_sign or not signed)[:limit]


def told(context: UniversalContext) -> dict[str, JsonValue]:
    """What people who talk about a run are told: what is known, the results, where the steps stand, what was said."""
    workflow = to_workflow(context)
    facts: dict[str, JsonValue] = {
        "steps": ", ".join(_standing(progress) for progress in workflow.steps),
        **{f"result of {name}": value for name, value in workflow.variables.items()},
        **context.core_state.facts,
    }
    if isinstance(context.mode_state, ConversationState):
        for message in context.mode_state.message_history[-SAID:]:
            facts[f"said before ({message.seq})"] = f"{message.speaker or '*'}: {message.text[:1000]}"
    return _fitting({name: value for name, value in facts.items() if value not in ("", None)})


def with_guests(
    setup: ConversationSetup, request: RequestConversation, known: Iterable[Participant]
) -> tuple[ConversationSetup, list[Refusal]]:
    """Add who asked for a conversation, and whom they want in it.

    Args:
        setup: The point's own setup.
        request: Who asks, and for whom.
        known: Who is known to the run; they come with what they may do there.

    Returns:
        The setup; and why some of them can't take part, each in a line.
    """
    people = {person.id: person for person in known}
    there = {person.id for person in setup.participants}
    asker = Participant(id=request.requestor, kind=Kind.HUMAN, role="requestor")
    wanted = {person.id: person for person in (asker, *request.participants) if person.id not in there}
    added: list[Participant] = []
    refused: list[Refusal] = []
    for name, person in wanted.items():
        one = people.get(name, person)
        fault = _key_fault(setup, one) or (_guest_fault(setup.guests, one) if name not in people else None)
        if fault:
            refused.append(Refusal(ErrorType.NOT_PERMITTED, f"{name!r} can't take part: {fault}"))
        else:
            added.append(one)
    room = max(setup.constraints.participant_limit - len(there), 0)
    refused += [
        Refusal(ErrorType.PARTICIPANT_LIMIT, f"{person.id!r} can't take part: there are too many already")
        for person in added[room:]
    ]
    return setup.model_copy(update={"participants": (*setup.participants, *added[:room])}), refused


def _key_fault(setup: ConversationSetup, person: Participant) -> str | None:
    if setup.signed and not person.can_sign:
        return "they have no key, and people must sign here"
    if setup.key_of(person.id) not in (None, person.key):
        return "the setup has another key for them"
    return None


def _guest_fault(guests: Guests | None, person: Participant) -> str | None:
    if guests is None:
        return "nobody may join uninvited (the setup's 'guests' is null)"
    if person.kind not in guests.kinds:
        return f"guests of kind '{person.kind}' may not join"
    too_much = next((permission for permission in person.can if permission not in guests.can), None)
    return f"a guest may not have the permission '{too_much}'" if too_much else None


def ends_for(people: Iterable[Participant]) -> tuple[Condition, ...]:
    """How a conversation ends by itself: somebody decides who may; else all must agree."""
    decides = any(
        person.may(Permission.DECIDE) and person.may(Permission.SPEAK) and person.kind is Kind.HUMAN
        for person in people
    )
    return (Decision(),) if decides else (Consensus(),)


def _standing(progress: StepProgress) -> str:
    failed = progress.status is StepStatus.FAILED and progress.error
    return f"{progress.step} {progress.status}" + (f" ({progress.error})" if failed else "")


def _fitting(facts: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    kept: dict[str, JsonValue] = {}
    room = MAX_FACTS_BYTES
    for name, value in facts.items():
        fact = {name: value}
        if not _fits(fact):
            fact = {name: f"({len(to_json(value)):,} bytes: see the query 'result_of' of the run)"}
        # As a setup counts them, with the blanks.
        room -= len(json.dumps(fact, ensure_ascii=False).encode())
        if room < 0:
            break
        kept |= fact
    return kept


def _fits(fact: dict[str, JsonValue]) -> bool:
    """Whether a fact can be told: it is not too large, not nested too deep, and JSON."""
    try:
        at_most(MAX_FACT_BYTES)(fact)
    except ValueError:
        return False
    return True
