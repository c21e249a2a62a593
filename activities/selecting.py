"""Choosing a paradigm, where its outcome goes into history."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from signals.adaptive import Selection, SelectionRequest
from signals.errors import Refusal
from workflows.modes.selector import select_paradigm
from workflows.modes.stubs import Selecting


class SelectingActivities(Selecting):
    """Chooses by the rules of the seed's selector."""

    @activity.defn(name="select")
    async def select(self, request: SelectionRequest) -> Selection:
        """Choose.

        Raises:
            ApplicationError: `MissingContext`, not retryable: nothing and nobody can serve the goal.
        """
        chosen = select_paradigm(request)
        if isinstance(chosen, Refusal):
            raise ApplicationError(chosen.reason, type=chosen.type, non_retryable=True)
        return chosen
