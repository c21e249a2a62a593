import asyncio
import concurrent.futures
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from temporalio import workflow

_lock = threading.Lock()


def a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work).start()  # expect: nondeterministic-thread


def a_lock_between_threads() -> bool:
    return _lock.acquire()  # expect: nondeterministic-thread


def a_pool(numbers: list[int]) -> list[str]:
    with ThreadPoolExecutor() as pool:  # expect: nondeterministic-thread
        return list(pool.map(str, numbers))


def processes() -> int:
    return multiprocessing.cpu_count()  # expect: nondeterministic-thread


async def a_function_in_a_thread(work: Callable[[], int]) -> int:
    return await asyncio.to_thread(work)  # expect: nondeterministic-thread


async def an_executor_of_the_loop(work: Callable[[], int]) -> int:
    return await asyncio.get_running_loop().run_in_executor(None, work)  # expect: nondeterministic-thread


def a_loop_of_its_own() -> None:
    asyncio.run(asyncio.sleep(1))  # expect: nondeterministic-thread


async def tasks_in_no_order(tasks: list[asyncio.Task[str]]) -> list[str]:
    done, _ = await asyncio.wait(tasks)  # expect: nondeterministic-set-order
    return [task.result() for task in done]


async def tasks_as_they_come(tasks: list[asyncio.Task[str]]) -> list[str]:
    return [await one for one in asyncio.as_completed(tasks)]  # expect: nondeterministic-set-order


async def what_asyncio_does_within_a_workflow(tasks: list[asyncio.Task[str]]) -> list[str]:
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(1))
    await asyncio.wait_for(asyncio.gather(*tasks), 10)
    done, _ = await workflow.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    first = [await one for one in workflow.as_completed(tasks)]
    background = asyncio.create_task(asyncio.sleep(1))
    await asyncio.shield(background)
    return [*first, *(task.result() for task in done)]


async def a_time_out_that_is_caught(task: asyncio.Task[str]) -> str | None:
    try:
        return await task
    except concurrent.futures.TimeoutError:
        return None
