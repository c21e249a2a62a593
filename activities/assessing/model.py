"""The assessor that asks a language model."""

from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_ai import Agent, ModelSettings
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.models import Model
from pydantic_core import to_json
from temporalio import activity

from activities.assessing.evidence import TRAITS, assessed
from activities.assessing.examples import ExamplesAssessor
from activities.failures import failure
from signals.adaptive import Assessed, Task, Traits
from signals.wire import Wire
from workflows.modes.stubs import Assessing

PROMPT: Final = Path(__file__).parent.parent / "prompts" / "assess.md"

TIME_LIMIT: Final = 8.0
"""Seconds that the model has for one answer; it is asked twice at most, which is less than the activity has."""


class Judgement(Wire):
    """What the model answers."""

    traits: Traits
    """Null for what it can't tell."""

    confidence: float = Field(ge=0, le=1)


class ModelAssessor(Assessing):
    """Finds out what a task is like by asking a language model; examples say it where the model doesn't.

    A run must not wait for a model that is away, nor fail for it, when there is another way to find out.

    Args:
        model: The language model.
        name: What it is called.
        otherwise: The assessor for what the model doesn't say.
    """

    def __init__(self, model: Model, name: str, otherwise: ExamplesAssessor) -> None:
        self._name = name
        self._otherwise = otherwise
        self._agent = Agent(
            model,
            output_type=Judgement,
            instructions=PROMPT.read_text(encoding="utf-8"),
            model_settings=ModelSettings(
                temperature=0, max_tokens=300, thinking=False, max_retries=0, request_timeout=TIME_LIMIT
            ),
            retries=1,
        )

    @activity.defn(name="assess")
    async def assess(self, task: Task) -> Assessed:
        """Give the model's judgement; that of the examples, where it has none that fits."""
        try:
            judgement = (await self._agent.run(_told(task))).output
        except (AgentRunError, UserError) as error:
            activity.logger.warning("the task is assessed by examples: %s", failure(self._name, error).message)
            return self._otherwise.found(task)
        chances = {trait: _chance(getattr(judgement.traits, trait), judgement.confidence) for trait in TRAITS}
        return assessed(task, chances, self._name)


def _chance(holds: bool | None, confidence: float) -> float:
    """How likely a trait is to hold: of what the model can't tell, nothing is known."""
    # Below a half it would be surer of the opposite than of what it says.
    sure = max(confidence, 0.5)
    return 0.5 if holds is None else sure if holds else 1 - sure


def _told(task: Task) -> str:
    """The task, without what people and programs have put into it beside its goal."""
    given = None if task.input is None else "it is known"
    shape = None if task.outcome is None else "its form is known"
    told = {"goal": task.goal, "workflow": task.workflow, "input": given, "outcome": shape}
    return to_json({name: value for name, value in told.items() if value is not None}).decode()
