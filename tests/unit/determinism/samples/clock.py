# ruff: noqa: DTZ002, DTZ003, DTZ011
import datetime as dt
import time
from datetime import UTC, date, datetime, timedelta
from time import perf_counter as counter

from temporalio import workflow

from signals.support import Order


def a_stamp() -> float:
    return time.time()  # expect: nondeterministic-clock


def a_renamed_clock() -> float:
    started = counter()  # expect: nondeterministic-clock
    return started * 1000


def a_date_by_way_of_its_module() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # expect: nondeterministic-clock


def today_of_each_kind() -> tuple[date, datetime, datetime]:
    return (
        date.today(),  # expect: nondeterministic-clock
        datetime.today(),  # expect: nondeterministic-clock
        datetime.utcnow(),  # expect: nondeterministic-clock
    )


def an_order_that_is_late(order: Order) -> bool:
    due = order.placed + timedelta(days=3)
    return order.delivered is None and datetime.now(tz=UTC) > due  # expect: nondeterministic-clock


def a_clock_given_away(orders: list[Order]) -> list[float]:
    return [clock() for clock in [time.monotonic] * len(orders)]  # expect: nondeterministic-clock


def an_import_within() -> int:
    from time import time_ns

    return time_ns()  # expect: nondeterministic-clock


def a_time_that_defaults_to_now() -> str:
    return time.strftime("%H:%M")  # expect: nondeterministic-clock


def a_time_that_is_given(seconds: float) -> str:
    return time.strftime("%H:%M", time.gmtime(seconds))


def the_time_of_the_workflow() -> tuple[datetime, float, timedelta]:
    return workflow.now(), workflow.time(), workflow.now() - datetime(2026, 1, 1, tzinfo=UTC)


def dates_that_are_read(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)


def a_name_of_ones_own(time: Order) -> str:
    now = time.id
    return now


async def time_that_passes() -> None:
    await workflow.sleep(timedelta(seconds=5))
    time.sleep(5)  # noqa: ASYNC251  # expect: nondeterministic-thread
