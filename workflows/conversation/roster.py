"""Who takes part: everybody's standing, and what is worked out of it once each time that somebody comes or goes."""

from collections.abc import Mapping
from functools import cached_property
from typing import Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from signals.participants import Kind, Participant, Permission, Speaks

MAX_ABSENT: Final = 50
"""People who left that are remembered, beyond those that there is room for anyway."""

MAX_FAILURES: Final = 3
"""Failed replies in a row after which an AI participant is asked no more."""


class Member(BaseModel):
    """A participant's standing."""

    model_config = ConfigDict(extra="forbid")

    participant: Participant
    present: bool = True
    turns: int = 0
    unheard: bool = False
    """AI: whether a person said something that it has not been asked about."""

    failures: int = 0
    """AI: replies that failed, in a row."""

    asks: int = 0
    """AI: how often it was asked; the number tells a reply that still counts from one that was cancelled."""

    replies: int = 0
    """AI: how many replies it gave that counted, blank ones too."""

    last_turn: int = 0
    """Which of the conversation's turns was their last one, from 1; 0 before they said anything."""

    arrived: int = 0
    """How many turns had been taken when they joined."""

    called: bool = False
    """AI: whether somebody addressed it, or granted it the floor, since it was last asked."""

    signed: int = 0
    """The number of the last message that they signed; 0 before there is one."""

    stood_down: bool = False
    """AI: whether it handed off to a person; nobody asks it until somebody addresses it."""

    @cached_property
    def is_person(self) -> bool:
        """Whether it is a human."""
        return self.participant.kind is Kind.HUMAN

    @cached_property
    def may_speak(self) -> bool:
        """Whether they hold the permission."""
        return self.participant.may(Permission.SPEAK)

    @property
    def can_speak(self) -> bool:
        """Whether they are here, may speak, and (an AI participant) are able to and have reason to."""
        return (
            self.present and self.may_speak and (self.is_person or (self.failures < MAX_FAILURES and self.has_reason))
        )

    @property
    def has_reason(self) -> bool:
        """AI: whether it speaks by itself now, or was called."""
        return self.called or (self.participant.speaks is Speaks.ALWAYS and not self.stood_down)


class Roster(NamedTuple):
    """Who is here, as long as nobody comes or goes."""

    place: Mapping[str, int]
    """Where everybody who is known stands in the order in which they joined."""

    speakers: tuple[str, ...]
    """Who is here and may speak, in that order, whether they are able to or not."""

    ais: tuple[str, ...]
    """The AI participants that are here, in that order."""

    moderators: frozenset[str]
    """Who is here and may grant the floor."""

    @classmethod
    def of(cls, members: Mapping[str, Member]) -> Self:
        """Work it out."""
        here = [(name, member) for name, member in members.items() if member.present]
        return cls(
            place={name: place for place, name in enumerate(members)},
            speakers=tuple(name for name, member in here if member.may_speak),
            ais=tuple(name for name, member in here if not member.is_person),
            moderators=frozenset(name for name, member in here if member.participant.may(Permission.MODERATE)),
        )
