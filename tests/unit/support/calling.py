"""Runs activities as a worker would."""

from collections.abc import Callable
from dataclasses import replace
from typing import ParamSpec, TypeVar

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

P = ParamSpec("P")
R = TypeVar("R")


def call(run: str, method: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run an activity for the run with this workflow id."""
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, workflow_id=run, activity_type=method.__name__)
    result: R = environment.run(method, *args, **kwargs)
    return result


def refusal(run: str, method: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> ApplicationError:
    """Run an activity that must fail for good, and give its error."""
    with pytest.raises(ApplicationError) as raised:
        call(run, method, *args, **kwargs)
    assert raised.value.non_retryable
    return raised.value
