"""Who works on which task queue, by the settings."""

import pytest

from infra.config import Duty, QueueSettings, WorkerSettings
from infra.queues import AI, Activity, shares
from tests.flows import shop
from tests.flows.talkers import Talkers

ACTIVITIES: list[Activity] = [Talkers().reply, *shop.activities()]


def served(settings: WorkerSettings) -> dict[str, tuple[bool, set[str]]]:
    """For each queue: whether runs are moved on, and the activities."""
    return {
        share.task_queue: (share.workflows, {activity.__name__ for activity in share.activities})
        for share in shares(settings, ACTIVITIES)
    }


NAMES = {activity.__name__ for activity in ACTIVITIES}
ASKING = NAMES & AI
APART = {"ai": QueueSettings(task_queue="models"), "business": QueueSettings(task_queue="books")}


def test_whatever_asks_a_model_is_known_by_name() -> None:
    assert sorted(AI) == ["assess", "classify", "consult", "reply"]


def test_without_settings_one_worker_does_everything() -> None:
    assert served(WorkerSettings()) == {"parley": (True, NAMES)}


def test_each_queue_has_its_own_worker() -> None:
    assert served(WorkerSettings(**APART)) == {
        "parley": (True, set()),
        "models": (False, ASKING),
        "books": (False, NAMES - ASKING),
    }


def test_activities_without_a_queue_of_their_own_stay_with_the_workflows() -> None:
    assert served(WorkerSettings(ai=APART["ai"])) == {"parley": (True, NAMES - ASKING), "models": (False, ASKING)}


@pytest.mark.parametrize(
    ("serves", "there"),
    [
        ((Duty.WORKFLOWS,), {"parley": (True, set())}),
        ((Duty.AI,), {"models": (False, ASKING)}),
        ((Duty.AI, Duty.BUSINESS), {"models": (False, ASKING), "books": (False, NAMES - ASKING)}),
    ],
)
def test_a_process_does_only_what_it_serves(serves: tuple[Duty, ...], there: dict[str, tuple[bool, set[str]]]) -> None:
    assert served(WorkerSettings(serves=serves, **APART)) == there


def test_activities_on_the_runs_queue_may_be_another_process_s() -> None:
    settings = WorkerSettings(serves=(Duty.AI, Duty.BUSINESS))
    assert served(settings) == {"parley": (False, NAMES)}


def test_each_queue_has_its_own_limits() -> None:
    ai = QueueSettings(task_queue="models", max_concurrent=3, max_per_second=2.5)
    limits = {
        share.task_queue: (share.max_concurrent, share.max_per_second)
        for share in shares(WorkerSettings(ai=ai, max_concurrent_activities=7), ACTIVITIES)
    }
    assert limits == {"parley": (7, None), "models": (3, 2.5)}
