"""The offline assessor: what examples are like, weighed with what a task names."""

import re
from pathlib import Path
from typing import Final, Self

from pydantic import model_validator
from temporalio import activity

from activities.assessing.evidence import TRAITS, assessed, evidence, weighed
from activities.learning import features, regression
from signals.adaptive import Assessed, Task, Traits
from signals.wire import Text, Wire
from workflows.modes.stubs import Assessing

EXAMPLES: Final = Path(__file__).parent / "data" / "tasks.jsonl"
"""One `{"goal": ..., "traits": [...]}` in a line; the traits are those that hold."""

BY: Final = "rules and examples"

ENOUGH: Final = 0.4
"""The share of a goal's words that examples must have for it to be judged by them; with fewer it is partly guessed."""

_WORD: Final = re.compile(r"[^\W\d_]{3,}")


class Example(Wire):
    """A task's goal, and what it is like."""

    goal: Text
    traits: tuple[str, ...]

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        Traits(**{trait: trait in self.traits for trait in {*TRAITS, *self.traits}})
        return self


class ExamplesAssessor(Assessing):
    """Finds out what a task is like by the words that its goal shares with examples, and by what it names.

    Args:
        examples: The file to learn from; takes about a second.

    Raises:
        OSError: The file can't be read.
        pydantic.ValidationError: A line isn't an example.
    """

    def __init__(self, examples: Path = EXAMPLES) -> None:
        known = [Example.model_validate_json(line) for line in examples.read_text(encoding="utf-8").splitlines()]
        goals = [example.goal for example in known]
        self._words = {word for goal in goals for word in _words(goal)}
        self._features = features().fit(goals)
        seen = self._features.transform(goals)
        self._models = {t: regression().fit(seen, [t in example.traits for example in known]) for t in TRAITS}

    @activity.defn(name="assess")
    async def assess(self, task: Task) -> Assessed:
        """Give what the task is likely to be; takes a few milliseconds."""
        return self.found(task)

    def found(self, task: Task) -> Assessed:
        """What the task is likely to be."""
        words = _words(task.goal)
        known = sum(word in self._words for word in words) / max(len(words), 1)
        trust = min(known / ENOUGH, 1)
        seen = self._features.transform([task.goal])
        chances = {}
        for trait, model in self._models.items():
            _, chance = model.predict_proba(seen)[0]  # of False, and of True
            chances[trait] = 0.5 + trust * (float(chance) - 0.5)
        return assessed(task, weighed(chances, evidence(task)), BY)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
