"""Runs one command and sees to it that nothing of it is left: a program of its own, between worker and command.

It stands between them because a worker that is killed can clean up nothing. Standard input is its line to the worker:
the first thing that comes is what to run, as a line of JSON (`Order`). When it closes, because the worker wants the
command ended or is no more, the command ends with all that it started. So does what the command leaves behind when it
ends by itself. Standard output and error are the command's own.

Its status is the command's; 128 + N after signal N; 126 or 127 where it can't be run.

It needs nothing but the standard library, so that it starts in a few hundredths of a second.
"""

import errno
import json
import os
import resource
import select
import signal
import sys
import time
from contextlib import suppress
from typing import Final, NoReturn, TypedDict

GRACE_SECONDS: Final = 2.0
"""How long processes have to end in good order before they are killed."""

POLL_SECONDS: Final = 0.01
NICE: Final = 5
"""Commands give way to the worker, which must give signs of life."""

SET_CHILD_SUBREAPER: Final = 36
SET_PARENT_DEATH_SIGNAL: Final = 1
"""Linux's numbers for `prctl`."""

NOT_FOUND: Final = 127
NOT_RUN: Final = 126


class Order(TypedDict):
    """What is to be run."""

    command: list[str]
    folder: str
    environment: dict[str, str]
    limits: dict[str, int]
    """By the names that they have in `resource`."""


def main() -> NoReturn:
    """Run the command; never returns."""
    order = _order()
    _tell_kernel(SET_CHILD_SUBREAPER, 1)  # what loses its parent becomes ours
    wakes, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # they only wake
    child = os.fork()
    if child == 0:
        _become(order)
    status: int | None = None
    while status is None:
        ready, _, _ = select.select([0, wakes], [], [])
        if wakes in ready:
            os.read(wakes, 512)
        status = _reaped(child)
        if status is None and 0 in ready and not os.read(0, 512):
            break
    rest = _end_all(child)
    os._exit(_as_exit(rest if status is None else status))


def _order() -> Order:
    line = b""
    while not line.endswith(b"\n"):
        if not (more := os.read(0, 65536)):
            os._exit(NOT_RUN)  # the worker is gone already
        line += more
    order: Order = json.loads(line)
    return order


def _become(order: Order) -> NoReturn:
    """Turn this process into the command."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        _tell_kernel(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        with suppress(OSError):
            os.nice(NICE)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.chdir(order["folder"])
        for name, limit in order["limits"].items():
            number = getattr(resource, name)
            _, most = resource.getrlimit(number)
            limit = limit if most == resource.RLIM_INFINITY else min(limit, most)
            resource.setrlimit(number, (limit, limit))
        os.execvpe(order["command"][0], order["command"], order["environment"])
    except (OSError, ValueError) as error:
        missing = isinstance(error, OSError) and error.errno == errno.ENOENT
        os.write(2, f"{order['command'][0]}: {getattr(error, 'strerror', error)}\n".encode(errors="replace"))
        os._exit(NOT_FOUND if missing else NOT_RUN)


def _end_all(child: int) -> int:
    """End every process that came of the command; gives the command's status."""
    status = 0
    deadline = time.monotonic() + GRACE_SECONDS
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGTERM)
    while True:
        try:
            ended, how = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status  # nothing is left
        if ended == child:
            status = how
        elif not ended:
            time.sleep(POLL_SECONDS)
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child, signal.SIGKILL)
            for left in _children():
                with suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)


def _children() -> list[int]:
    """The processes that are ours now, also those that have left the command's group; found on Linux only."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(number) for number in file.read().split()]
    except OSError:
        return []


def _reaped(child: int) -> int | None:
    """Take note of those that have ended; the command's status, if it has."""
    status = None
    with suppress(ChildProcessError):
        while True:
            ended, how = os.waitpid(-1, os.WNOHANG)
            if not ended:
                break
            status = how if ended == child else status
    return status


def _as_exit(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def _tell_kernel(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main()
