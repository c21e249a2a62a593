"""Which fragments a conversation may run, who may ask for which, and what each can be given."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from signals.assistant import Tool
from signals.fragments import Bound, FragmentOffer
from signals.participants import Kind, Participant, Permission
from workflows.conversation.context import misfit, required_by, without
from workflows.conversation.routing import told_of
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState


def offered(setup: ConversationSetup, state: ConversationState) -> dict[str, FragmentOffer]:
    """The fragments that the conversation may run, by name."""
    found = [state.offers.get(one) if isinstance(one, str) else one for one in setup.fragments]
    return {offer.name: offer for offer in found if offer is not None}


def may_ask(participant: Participant, offer: FragmentOffer) -> bool:
    """Tell whether somebody may ask for a fragment."""
    return participant.may(Permission.INVOKE) and (not offer.roles or participant.role in offer.roles)


def known_to(setup: ConversationSetup, state: ConversationState, name: str | None) -> dict[str, JsonValue]:
    """The facts that somebody may know; those that everybody may, for nobody in particular."""
    withheld = {
        fact
        for fact, asker in state.found_for.items()
        if name != asker and (to := told_of(setup.routing, state, asker)) and name not in to
    }
    return {fact: value for fact, value in state.facts.items() if fact not in withheld} if withheld else state.facts


def tools_for(setup: ConversationSetup, state: ConversationState, name: str) -> tuple[Tool, ...]:
    """The fragments that an AI participant may ask for, as it is told of them."""
    participant = state.members[name].participant
    return tuple(
        Tool(name=offer.name, about=offer.about, context=without(offer.context, [*offer.bound]), modes=offer.modes)
        for offer in offered(setup, state).values()
        if may_ask(participant, offer)
    )


@dataclass(frozen=True)
class Gathered:
    """What a fragment can be given."""

    arguments: dict[str, JsonValue]
    missing: tuple[str, ...]
    """What must be asked for."""

    lacking: str | None
    """What it needs and can't be given, with the reason, if there is anything."""


def gather(
    offer: FragmentOffer, known: Mapping[str, JsonValue], asker: Participant, given: Mapping[str, JsonValue]
) -> Gathered:
    """Put together what a fragment is given: what is bound, what was given, and what is known.

    Args:
        offer: The fragment.
        known: What who asks for it knows.
        asker: Who asks for it.
        given: What they gave, which fits and isn't bound.
    """
    required = required_by(offer.context)
    facts = {
        name: known[name]
        for name in (*required, *offer.bound)
        if name in known and misfit(offer.context, {name: known[name]}) is None
    }
    person = asker.id if asker.kind is Kind.HUMAN else None
    bound = {name: facts.get(name) if how is Bound.FACT else person for name, how in offer.bound.items()}
    arguments = {
        **{name: value for name, value in facts.items() if name not in offer.bound},
        **given,
        **{name: value for name, value in bound.items() if value is not None},
    }
    absent = [name for name in required if name not in arguments]
    lacking = next((_unbound(name, offer.bound[name], asker) for name in absent if name in offer.bound), None)
    return Gathered(arguments, tuple(name for name in absent if name not in offer.bound), lacking)


def bound_fault(offer: FragmentOffer, names: Iterable[str]) -> str | None:
    """Say which of some arguments nobody may give, beginning with its name; nothing where there is none."""
    name = next((name for name in names if name in offer.bound), None)
    if name is None:
        return None
    what = "what the conversation knows by this name" if offer.bound[name] is Bound.FACT else "the person who asks"
    return f"{name}: nobody may give it, it is {what}"


def _unbound(name: str, bound: Bound, asker: Participant) -> str:
    if bound is Bound.FACT:
        return f"it needs '{name}', and the conversation knows nothing by this name that fits"
    return f"it needs '{name}', the person who asks, and {asker.id!r} is none"
