"""What the settings of `[execution]` change in runs, on the real server."""

from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from signals.errors import ErrorType
from signals.settings import Settings, ValidationLevel, WorkflowSettings
from tests.flows.settled import Doubled
from tests.harness import running_worker


def checked(level: ValidationLevel) -> Settings:
    return Settings(workflow=WorkflowSettings(validation_level=level))


async def test_under_strict_validation_a_wrong_result_fails_its_step(client: Client) -> None:
    async with running_worker(client, [Doubled]) as queue:
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow("Doubled", '"ab"', id=f"test-{uuid4()}", task_queue=queue)
    error = failed.value.cause
    assert isinstance(error, ApplicationError)
    assert (error.type, error.message) == (
        ErrorType.INVALID_INPUT,
        "Doubled.number: what it returned is no int: input: Input should be a valid integer",
    )


@pytest.mark.parametrize("level", [ValidationLevel.STANDARD, ValidationLevel.LENIENT])
async def test_under_other_validation_results_travel_on_as_they_are(client: Client, level: ValidationLevel) -> None:
    async with running_worker(client, [Doubled], execution=checked(level)) as queue:
        assert await client.execute_workflow("Doubled", '"ab"', id=f"test-{uuid4()}", task_queue=queue) == "abab"
