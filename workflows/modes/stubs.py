"""The activities that choose how a task is gone about, as workflows see them; `activities/` has what they do."""

from abc import ABC, abstractmethod

from temporalio import activity, workflow

from signals.adaptive import Assessed, Selection, SelectionRequest, Task
from workflows import spans
from workflows.counts import SELECTIONS, Count
from workflows.metrics import emit
from workflows.options import AT_HAND


class Selecting(ABC):
    """Chooses a paradigm. That it is an activity puts the choice into history: a later selector changes no run."""

    @activity.defn(name="select")
    @abstractmethod
    async def select(self, request: SelectionRequest) -> Selection:
        """Choose.

        Raises:
            ApplicationError: `MissingContext`, not retryable: nothing and nobody can serve the goal.
        """


class Assessing(ABC):
    """Finds out what a task is like where nobody says."""

    @activity.defn(name="assess")
    @abstractmethod
    async def assess(self, task: Task) -> Assessed:
        """Assess a task by its goal, and by what it names."""


async def select(request: SelectionRequest) -> Selection:
    """Choose a paradigm: once, when a run begins. It costs one event, and no way to the server."""
    selection = await workflow.execute_local_activity_method(
        Selecting.select, request, summary="which paradigm?", **AT_HAND
    )
    _tell(selection)
    return selection


def _tell(selection: Selection) -> None:
    basis = str(selection.basis or "unknown")
    emit([Count(SELECTIONS, labels={"paradigm": selection.paradigm, "reason": basis})])
    spans.selected(selection.paradigm, basis)
    told = selection.model_dump(mode="json", exclude={"considered"})
    workflow.logger.info("Chosen: %s (%s)", selection.paradigm, basis, extra={"selection": told})
