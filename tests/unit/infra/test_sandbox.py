from typing import cast

import pytest
from temporalio import workflow
from temporalio.worker import WorkflowRunner

from infra.sandbox import workflow_runner
from workflows.library import WORKFLOWS


def prepare(runner: WorkflowRunner, cls: type) -> None:
    """Load a workflow class as a worker does when it starts."""
    runner.prepare_workflow(workflow._Definition.must_from_class(cls))


@pytest.mark.parametrize("cls", WORKFLOWS, ids=lambda cls: cast(type, cls).__name__)
async def test_a_workflow_loads_anew_nothing_but_its_own_module(cls: type) -> None:
    prepare(workflow_runner(True, strict=True), cls)


async def test_what_is_loaded_anew_without_need_is_refused_when_strict() -> None:
    from tests.flows.careless import Careless

    prepare(workflow_runner(True), Careless)
    with pytest.raises(Exception, match="not intentionally passed through"):
        prepare(workflow_runner(True, strict=True), Careless)
