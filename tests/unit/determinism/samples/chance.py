import os
import random
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import choice
from uuid import UUID, uuid4, uuid5

from pydantic import BaseModel, Field
from temporalio import workflow

_DICE = random.Random(6)


class Ticket(BaseModel):
    """A request, with an id of its own."""

    id: UUID = Field(default_factory=uuid4)
    subject: str
    tags: list[str] = Field(default_factory=list)


@dataclass
class Note:
    """What was said."""

    text: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def an_id_of_each_kind() -> list[str]:
    return [
        str(uuid4()),  # expect: nondeterministic-random
        uuid.uuid1().hex,  # expect: nondeterministic-random
        secrets.token_hex(8),  # expect: nondeterministic-random
        os.urandom(4).hex(),  # expect: nondeterministic-random
    ]


def a_choice(agents: list[str]) -> str:
    return choice(agents)  # expect: nondeterministic-random


def a_shuffle(agents: list[str]) -> list[str]:
    random.shuffle(agents)  # expect: nondeterministic-random
    return agents


def a_function_of_chance_given_away(numbers: list[float]) -> list[float]:
    rolled = [roll() for roll in [random.random] * len(numbers)]  # expect: nondeterministic-random
    return rolled


def a_generator_without_a_seed() -> float:
    return random.Random().random()  # expect: nondeterministic-random


def a_generator_of_the_module() -> int:
    return _DICE.randint(1, 6)  # expect: nondeterministic-global-state


def a_share_of_the_customers(name: str) -> bool:
    return hash(name) % 10 == 0  # expect: nondeterministic-random


def a_model_that_draws_its_id() -> Ticket:
    return Ticket(subject="refund")  # expect: nondeterministic-random


def a_model_that_is_given_its_id() -> Ticket:
    return Ticket(id=workflow.uuid4(), subject="refund")


def a_model_made_of_a_mapping(stored: dict[str, str]) -> Ticket:
    return Ticket(**stored)


def a_field_that_is_filled_by_a_function() -> Note:
    return Note(text="called back")


def a_generator_with_a_seed(agents: list[str], seed: int) -> str:
    dice = random.Random(seed)
    return dice.choice(agents)


def what_the_workflow_draws(agents: list[str]) -> tuple[str, UUID]:
    return workflow.random().choice(agents), workflow.uuid4()


def a_generator_that_is_handed_in(dice: random.Random) -> int:
    return dice.randint(1, 6)


def an_id_made_of_a_name(name: str) -> UUID:
    return uuid5(UUID(int=0), name)


def a_check_of_a_type(value: object) -> bool:
    return isinstance(value, random.Random | UUID)
