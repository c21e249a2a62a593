"""Asking for fragments: whether one may be run, for whom, and what tells a request from another one."""

import json
from hashlib import blake2b
from typing import Final

from pydantic import JsonValue

from signals.conversation import Invocation, InvocationStatus, MessageKind
from signals.errors import ErrorType, Refusal
from signals.fragments import Bound, FragmentOffer
from signals.messages import Answer, Disposition, InvocationMode, Invoke
from signals.names import MAX_ID_BYTES, fragment_id
from workflows.conversation.change import Change
from workflows.conversation.context import misfit, whole_misfit
from workflows.conversation.gathering import can_be_answered, given_of, go_on
from workflows.conversation.invoked import (
    MAX_ARGUMENTS_BYTES,
    MAX_UNDER_WAY,
    asking,
    call_back,
    give_up,
    shown,
    size_of,
    tell,
    under_way,
    update,
)
from workflows.conversation.offers import bound_fault, gather, known_to, may_ask, offered
from workflows.conversation.roster import MAX_FAILURES
from workflows.conversation.routing import told_of
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState, Request, digest

MAX_KEYS: Final = 10
"""Requests of one fragment run that are known again: the latest ones."""

_TOLD: Final = frozenset({ErrorType.WORKFLOW_NOT_AVAILABLE, ErrorType.MISSING_CONTEXT, ErrorType.INVALID_INPUT})
"""Why a fragment isn't run, where who asked takes part, and may ask for some: the others are told."""


def check_invoke(setup: ConversationSetup, state: ConversationState, message: Invoke) -> Refusal | None:
    """Say why a fragment can't be run; nothing if it can."""
    asker = state.members[message.speaker].participant
    offers = offered(setup, state)
    offer = offers.get(message.fragment)
    if offer is None:
        names = ", ".join(one.name for one in offers.values() if may_ask(asker, one)) or "none"
        return _unavailable(f"there is no fragment {message.fragment!r} here; there are: {names}")
    if not may_ask(asker, offer):
        roles = ", ".join(offer.roles)
        return _unavailable(f"{offer.name} is for the roles {roles}; {message.speaker!r} has the role {asker.role}")
    if message.mode is not None and message.mode not in offer.modes:
        return Refusal(ErrorType.INVALID_INPUT, f"mode: {offer.name} can be run {' or '.join(offer.modes)}")
    if fault := bound_fault(offer, message.arguments) or misfit(offer.context, message.arguments):
        return Refusal(ErrorType.INVALID_INPUT, f"arguments: {fault}")
    return None if _same(state, offer, message) else _check_context(setup, state, offer, message)


def _check_context(
    setup: ConversationSetup, state: ConversationState, offer: FragmentOffer, message: Invoke
) -> Refusal | None:
    before = _continued(state, message)
    others = [one for one in under_way(state) if one != before]
    if len(others) >= MAX_UNDER_WAY and not any(one.status is InvocationStatus.ASKING for one in others):
        return _unavailable(f"{MAX_UNDER_WAY} fragments are running already; ask again when one of them is done")
    if len(fragment_id(state.conversation, offer.name, state.invocation_count + 1).encode()) > MAX_ID_BYTES:
        return _unavailable(f"the workflow id of {offer.name} would have more than {MAX_ID_BYTES:,} bytes")
    member = state.members[message.speaker]
    known = known_to(setup, state, message.speaker)
    gathered = gather(offer, known, member.participant, _given(offer, before, message))
    if gathered.lacking:
        return Refusal(ErrorType.MISSING_CONTEXT, f"{offer.name} can't be run: {gathered.lacking}")
    if size_of(gathered.arguments, *(one.arguments for one in others)) > MAX_ARGUMENTS_BYTES:
        return _unavailable(f"what {offer.name} would be given is too large, with what is under way already")
    if not gathered.missing and (fault := whole_misfit(offer.context, gathered.arguments)):
        return Refusal(ErrorType.INVALID_INPUT, f"arguments: {fault}")
    if gathered.missing and not can_be_answered(state, offer, member):
        missing = ", ".join(gathered.missing)
        return Refusal(ErrorType.MISSING_CONTEXT, f"{offer.name} needs {missing}, and nobody here may answer")
    return None


def _unavailable(reason: str) -> Refusal:
    return Refusal(ErrorType.WORKFLOW_NOT_AVAILABLE, reason)


def refuse(change: Change, message: Invoke, refusal: Refusal) -> None:
    """Tell the others that a fragment isn't run; an AI participant that asked for it may try something else."""
    if refusal.type not in _TOLD:
        return
    text = f"{change.label(message.speaker)} asked for {message.fragment} ({refusal.type}): {refusal.reason}"
    to = told_of(change.setup.routing, change.state, message.speaker)
    change.record(MessageKind.FRAGMENT, text, to=(message.speaker, *to) if to else ())
    if change.state.passes < MAX_FAILURES:
        call_back(change.state, message.speaker)


def invoke(change: Change, message: Invoke) -> Answer:
    """Run a fragment, or ask for what it needs and nobody knows."""
    state, mark = change.state, digest(message)
    if mark is not None and mark in state.seen:
        return Answer(disposition=Disposition.DUPLICATE, seq=state.seen[mark])
    offer = offered(change.setup, state)[message.fragment]
    if same := _same(state, offer, message):
        request = state.requests[same.number]
        request.by = tuple(dict.fromkeys((*request.by, message.speaker)))
        change.remember(mark, same.seq)
        return Answer(disposition=Disposition.DUPLICATE, seq=same.seq)
    before = _continued(state, message)
    arguments = _given(offer, before, message)
    invocation = before or _begun(change, offer, message)
    seq = tell(change, invocation, _asks(offer, invocation, message), message.speaker)
    change.remember(mark, seq)
    request = state.requests.setdefault(invocation.number, Request(keys=(), by=()))
    request.keys = (*request.keys, _key(offer, state, message))[-MAX_KEYS:]
    request.by = tuple(dict.fromkeys((*request.by, message.speaker)))
    invocation = update(state, invocation, mode=message.mode or invocation.mode, seq=seq)
    go_on(change, offer, invocation, arguments)
    return Answer(disposition=Disposition.RECORDED, seq=seq)


def _begun(change: Change, offer: FragmentOffer, message: Invoke) -> Invocation:
    state = change.state
    if len(under_way(state)) >= MAX_UNDER_WAY:
        give_up(change, asking(state)[0], "it was not answered, and others are asked for now")
    state.invocation_count += 1
    invocation = Invocation(
        number=state.invocation_count,
        fragment=offer.name,
        speaker=message.speaker,
        mode=message.mode or offer.modes[0],
        status=InvocationStatus.ASKING,
        seq=state.seq + 1,
    )
    state.invocations.append(invocation)
    return invocation


def _asks(offer: FragmentOffer, invocation: Invocation, message: Invoke) -> str:
    given = f" {shown(message.arguments)}" if message.arguments else ""
    mode = message.mode or invocation.mode
    return f"asks for {offer.name}{given}" + ("" if mode is InvocationMode.SYNCHRONOUS else f" ({mode})")


def _given(offer: FragmentOffer, before: Invocation | None, message: Invoke) -> dict[str, JsonValue]:
    return (given_of(offer, before) if before else {}) | message.arguments


# What is the same, and what goes on


def _same(state: ConversationState, offer: FragmentOffer, message: Invoke) -> Invocation | None:
    """The invocation under way that was asked for in the same way."""
    key = _key(offer, state, message)
    numbers = [number for number, request in state.requests.items() if key in request.keys]
    return next((one for one in state.invocations if one.number in numbers), None)


def _key(offer: FragmentOffer, state: ConversationState, message: Invoke) -> str:
    """What is the same for the same request: what is asked for, and in whose name where that matters."""
    is_person = state.members[message.speaker].is_person
    name = message.speaker if is_person and Bound.PERSON in offer.bound.values() else None
    asked = json.dumps([offer.name, message.arguments, name], sort_keys=True)
    return blake2b(asked.encode(), digest_size=8).hexdigest()


def _continued(state: ConversationState, message: Invoke) -> Invocation | None:
    """What is still asked for the same fragment, where the same participant asked for it."""
    same = (message.fragment, message.speaker)
    return next((one for one in asking(state) if (one.fragment, one.speaker) == same), None)
