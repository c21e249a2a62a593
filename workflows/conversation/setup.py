"""How a conversation is set up: the input of the workflow `Conversation`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from signals.fragments import FragmentOffer
from signals.participants import Kind, Participant, Permission, Speaks, keys_fault
from signals.settings import MAX_PARTICIPANTS, ConversationSettings
from signals.wire import Facts, Identifier, Text, Wire, at_most
from workflows.conversation.adaptation import DEFAULT_RULES, AddParticipant, Rule, rules_fault
from workflows.conversation.bounds import BringIn, Constraints, Exhausted, GiveUp, Guests, OutOfTurn, Summaries, without
from workflows.conversation.combining import conditions_fault
from workflows.conversation.context import offers_fault
from workflows.conversation.coordination import CoordinationStrategy, TurnBased
from workflows.conversation.emergence import AnyCondition, Decision
from workflows.conversation.outcomes import JsonSchema, outcome_fault, schema_fault
from workflows.conversation.routing import Broadcast, Routing
from workflows.conversation.speaker_selection import Coordination
from workflows.conversation.state import ConversationState

MAX_SCHEMA_BYTES: Final = 64 * 1024
"""Largest JSON Schema of an outcome, in bytes of JSON: a continued run takes it along."""


MAX_FRAGMENTS: Final = 20

Offered = Annotated[
    Annotated[Identifier, Tag("name")] | Annotated[FragmentOffer, Tag("offer")],
    Discriminator(lambda value: "name" if isinstance(value, str) else "offer"),
]
"""A fragment: the name of a compiled workflow that is marked as one, or all that there is to say of any workflow."""


class ConversationSetup(Wire):
    """The input of `Conversation`.

    Example:
        `{"topic": "Lunch?", "participants": [
            {"id": "alice", "kind": "human", "role": "host", "can": ["speak", "decide"]}]}`
    """

    topic: Text
    participants: tuple[Participant, ...] = Field(min_length=1, max_length=MAX_PARTICIPANTS)
    coordination: Coordination = TurnBased()
    """Where it isn't given, the settings' `default_coordination` holds."""

    out_of_turn: OutOfTurn = OutOfTurn.HOLD
    routing: Routing = Broadcast()
    emergence: tuple[AnyCondition, ...] = Field(default=(Decision(),), min_length=1, max_length=20)
    """The conversation ends by the first one that is met."""

    adaptation: tuple[Rule, ...] = Field(default=DEFAULT_RULES, max_length=20)
    """What is done when the conversation goes badly; the first rule that applies is followed first."""

    summary: Summaries | None = None
    """A rolling summary of what everybody may see; none is made where it is null."""

    outcome: Annotated[JsonSchema, AfterValidator(at_most(MAX_SCHEMA_BYTES))] | None = None
    """The JSON Schema that every proposal must fit; any outcome will do where there is none."""

    facts: Facts = Field(default={})
    """What is known: AI participants are told, and may say nothing else for a fact."""

    fragments: tuple[Offered, ...] = Field(default=(), max_length=MAX_FRAGMENTS)
    """The workflows that may be run from the conversation, by who may `invoke`."""

    guidance: Identifier = "assistant"
    """The prompt file that tells AI participants how to behave."""

    signed: bool = False
    """Whether all people need a key, and must sign what they send; as the settings say where it isn't given."""

    guests: Guests | None = Guests()
    """Who may join uninvited; nobody where it is null."""

    constraints: Constraints = Constraints()
    window: int = Field(default=30, ge=5, le=100)
    """How many messages are kept at hand: for queries, prompts and a continued run."""

    history_events: int = Field(default=1000, ge=50, le=10_000)
    """At how many events of history the workflow continues as new; nobody taking part notices."""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if fault := next(self._faults(), None):
            raise ValueError(fault)
        return self

    @property
    def cast(self) -> tuple[Participant, ...]:
        """Everybody who may come to take part by this setup: at the beginning, by a rung of the ladder, by a rule."""
        brought = [rung.participant for rung in self.constraints.ladder if isinstance(rung, BringIn)]
        added = [rule.then.participant for rule in self.adaptation if isinstance(rule.then, AddParticipant)]
        known: dict[str, Participant] = {}
        for one in (*self.participants, *brought, *added):
            if one is not None:
                known.setdefault(one.id, one)
        return tuple(known.values())

    def key_of(self, name: str) -> str | None:
        """The key of somebody in the cast, where they have one."""
        return next((one.key for one in self.cast if one.id == name), None)

    @property
    def left_open(self) -> frozenset[str]:
        """The fields that it leaves to the settings."""
        constraints = set() if self.constraints.is_settled else {"constraints"}
        return frozenset({"coordination", "signed"} - self.model_fields_set | constraints)

    @property
    def is_settled(self) -> bool:
        """Whether it leaves nothing to the settings."""
        return not self.left_open

    def settled(self, settings: ConversationSettings) -> "ConversationSetup":
        """The same with what it leaves to the settings.

        Raises:
            ValidationError: They don't suit it.
        """
        if self.is_settled:
            return self
        given = {name: getattr(self, name) for name in sorted(self.model_fields_set)}
        default = {"coordination": {"kind": settings.default_coordination}, "signed": settings.signed}
        return ConversationSetup.model_validate(default | given | {"constraints": self.constraints.settled(settings)})

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        # What is left to the settings must still be so when it has crossed the wire.
        return without({"coordination", "signed"} - self.model_fields_set, write(self))

    def coordination_in(self, state: ConversationState) -> CoordinationStrategy:
        """The way of taking turns that holds now: a rule of adaptation may have changed it."""
        if state.coordination is None:
            return self.coordination
        return self.adaptation[state.coordination].coordination or self.coordination

    def _faults(self) -> Iterator[str]:
        """What doesn't hold together, each beginning with the name of a field."""
        cast = self.cast
        yield from self._faults_of_participants(cast)
        if self.signed and (fault := keys_fault(cast)):
            yield fault
        yield from self._faults_of_bounds(cast)
        yield from self._faults_of_fragments(cast)
        faults = (
            ("", conditions_fault(self.emergence, cast)),
            ("coordination.", self.coordination.fault(cast)),
            ("routing.", self.routing.fault(cast)),
            ("", rules_fault(self.adaptation, cast, self.constraints, self.window)),
            ("outcome is not a JSON Schema: ", schema_fault(self.outcome) if self.outcome is not None else None),
        )
        yield from (place + fault for place, fault in faults if fault)
        if self.summary and self.summary.every > self.window:
            yield f"summary.every: {self.summary.every} messages are more than window ({self.window}) keeps"

    def _faults_of_participants(self, cast: Sequence[Participant]) -> Iterator[str]:
        ids = [participant.id for participant in self.participants]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            yield f"participants: {twice[0]!r} is named twice; give each an id of its own"
        limit = self.constraints.participant_limit
        if len(ids) > limit and "participant_limit" in self.constraints.model_fields_set:
            yield f"participants: {len(ids)} are more than constraints.participant_limit ({limit})"
        able = [participant for participant in self.participants if participant.may(Permission.SPEAK)]
        if not able:
            yield "participants: nobody may speak; give somebody the permission 'speak'"
        guests = self.guests.can if self.guests else ()
        if all(one.speaks is not Speaks.ALWAYS for one in able) and Permission.SPEAK not in guests:
            yield "participants: nobody speaks first; each waits to be addressed or asked"
        if Permission.MODERATE not in guests and not any(one.may(Permission.MODERATE) for one in cast):
            for index, one in enumerate(self.participants):
                if one.speaks is Speaks.ASKED:
                    yield f"participants.{index}.speaks: nobody may ask; give somebody the permission 'moderate'"

    def _faults_of_bounds(self, cast: Sequence[Participant]) -> Iterator[str]:
        budget = self.constraints.budget
        people = [one for one in cast if one.kind is Kind.HUMAN]
        if budget and budget.at_exhaustion is Exhausted.ASK and not any(p.may(Permission.MODERATE) for p in people):
            yield (
                "constraints.budget.at_exhaustion: 'ask' needs a person to ask; give somebody the permission 'moderate'"
            )
        for index, rung in enumerate(self.constraints.ladder):
            place = f"constraints.ladder.{index}"
            if isinstance(rung, BringIn) and (fault := rung.fault(cast)):
                yield f"{place}.{fault}"
            outcome = rung.outcome if isinstance(rung, GiveUp) else None
            if outcome is not None and (fault := outcome_fault(self.outcome, outcome)):
                yield f"{place}.outcome: {fault}"

    def _faults_of_fragments(self, cast: Sequence[Participant]) -> Iterator[str]:
        names = Counter(one if isinstance(one, str) else one.name for one in self.fragments)
        if twice := next((name for name, times in names.items() if times > 1), None):
            yield f"fragments: {twice!r} is named twice"
        if fault := offers_fault(self.written_fragments):
            yield fault
        guests = self.guests.can if self.guests else ()
        if names and Permission.INVOKE not in guests and not any(one.may(Permission.INVOKE) for one in cast):
            yield "fragments: nobody may run one; give a participant the permission 'invoke'"

    @property
    def written_fragments(self) -> dict[str, FragmentOffer]:
        """The fragments that are written out, by their places in this."""
        return {place: one for place, one in self._places() if not isinstance(one, str)}

    @property
    def named_fragments(self) -> dict[str, str]:
        """The fragments that are only named, by their places in this."""
        return {place: one for place, one in self._places() if isinstance(one, str)}

    def _places(self) -> Iterable[tuple[str, str | FragmentOffer]]:
        return ((f"fragments.{index}", one) for index, one in enumerate(self.fragments))
