"""Time limits and retry policies of everything that workflows call, in one place, each with its reason."""

from datetime import timedelta
from typing import Final, TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType


class ActivityOptions(TypedDict, total=False):
    """The keyword arguments of `workflow.execute_activity` that Parley sets."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


class LocalActivityOptions(TypedDict, total=False):
    """The keyword arguments of `workflow.execute_local_activity` that Parley sets."""

    start_to_close_timeout: timedelta


QUICK: Final[ActivityOptions] = {
    # A look-up or a booking is one transaction; when the database is away, it is tried again for an hour.
    "start_to_close_timeout": timedelta(seconds=10),
    "schedule_to_close_timeout": timedelta(hours=1),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=30)),
}

REPLY: Final[ActivityOptions] = {
    # A large model may think for minutes; a dead worker's reply is taken up again after the missed heartbeat.
    "start_to_close_timeout": timedelta(minutes=5),
    "heartbeat_timeout": timedelta(seconds=4),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=6
    ),
    # An interrupt must not wait for a model that doesn't listen.
    "cancellation_type": ActivityCancellationType.TRY_CANCEL,
}

NOTIFY: Final[ActivityOptions] = {
    # A webhook that is away is tried for a quarter of an hour; after that the next rung of the ladder helps more.
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(minutes=15),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
}

ASSESS: Final[ActivityOptions] = {
    # A run doesn't begin before; a language model that is away must not keep it for long.
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(minutes=5),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10)),
}

AWAIT_RESULT: Final[ActivityOptions] = {
    # It is asked again and again, as long as the workflow takes: the conversation's own end is the limit.
    "start_to_close_timeout": timedelta(seconds=15),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), backoff_coefficient=1.5, maximum_interval=timedelta(seconds=20)
    ),
}

AT_HAND: Final[LocalActivityOptions] = {
    # The worker answers from memory; it is asked within the workflow task, which must not be held up.
    "start_to_close_timeout": timedelta(seconds=5),
}

GIT: Final[ActivityOptions] = {
    # A large repository may take a while to fetch. One that can't be reached is tried for a minute or so.
    "start_to_close_timeout": timedelta(hours=2),
    "heartbeat_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=6
    ),
    "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}

COMMAND: Final[ActivityOptions] = {
    # The command's own time limit is kept by who runs it; it may have to wait for others that run.
    "start_to_close_timeout": timedelta(days=3),
    "heartbeat_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)),
    # Nothing that it started is left when the run goes on.
    "cancellation_type": ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}

CHILD_TASK_TIMEOUT: Final = timedelta(seconds=5)
"""How long a worker may take over one workflow task of a child: a dead one's task is taken up after that."""
