"""Programs are run with what they are given and nothing else, and end with all that they started."""

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest

from activities.pipeline.commands import Ended, Program, ask, is_there, run
from activities.pipeline.output import Kept, Log
from tests.harness import eventually

SHELL = "/bin/sh"


def script(text: str, folder: Path, seconds: float = 20, **limits: int) -> Program:
    """A program that is written as a shell script: only tests need a shell."""
    return Program((SHELL, "-c", text), folder, {"PATH": os.environ["PATH"]}, seconds, limits)


async def done(program: Program) -> tuple[Ended, str]:
    output = Kept(100_000)
    return await run(program, output), output.text


async def gone(marker: str) -> None:
    """Wait until no process has a word among its own."""

    async def left() -> list[int]:
        processes = [process.info for process in psutil.process_iter(["pid", "cmdline"])]
        return [info["pid"] for info in processes if marker in (info["cmdline"] or ())]

    assert await eventually(left, lambda left: not left) == []


async def test_a_program_s_status_and_output_are_told(tmp_path: Path) -> None:
    ended, text = await done(script("pwd; echo oh >&2; exit 3", tmp_path))
    assert (ended.status, text) == (3, f"{tmp_path}\noh\n")


async def test_errors_can_be_kept_apart(tmp_path: Path) -> None:
    output, errors = Kept(100), Kept(100)
    await run(script("echo out; echo oh >&2", tmp_path), output, errors)
    assert (output.text, errors.text) == ("out\n", "oh\n")


async def test_a_program_finds_nothing_of_the_worker_s_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    _, text = await done(script("env; cat /proc/$PPID/environ", tmp_path))
    assert "hunter2" not in text
    assert "PATH=" in text


async def test_a_program_has_no_input_to_wait_for(tmp_path: Path) -> None:
    ended, text = await done(script("cat; echo end", tmp_path))
    assert (ended.status, text) == (0, "end\n")


@pytest.mark.parametrize("words", [("no-such-program",), ("./no-such-program",)])
async def test_a_program_that_isn_t_there_is_known_and_told(words: tuple[str, ...], tmp_path: Path) -> None:
    program = Program(words, tmp_path, {"PATH": os.environ["PATH"]}, 5)
    assert not is_there(program)
    ended, text = await done(program)
    assert (ended.status, text) == (127, f"{words[0]}: No such file or directory\n")


def test_a_program_is_looked_for_in_its_own_folder_and_on_its_own_path(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o700)
    assert is_there(Program(("./own",), tmp_path, {}, 5))
    assert is_there(Program(("own",), Path("/"), {"PATH": str(tmp_path)}, 5))
    assert not is_there(Program(("own",), tmp_path, {"PATH": "/usr/bin"}, 5))


async def test_a_program_that_hangs_is_ended_with_its_children_when_its_time_is_over(tmp_path: Path) -> None:
    ended, _ = await done(script("sleep 1234.5 & sleep 1234.5; true", tmp_path, seconds=0.5))
    assert ended.status is None
    assert ended.seconds < 10
    await gone("1234.5")


async def test_what_a_program_leaves_running_is_ended_though_it_has_left_the_group_and_won_t_hear(
    tmp_path: Path,
) -> None:
    stubborn = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(2345)"
    (tmp_path / "stubborn.py").write_text(stubborn)
    ended, _ = await done(script(f"setsid {sys.executable} stubborn.py left-behind & sleep 0.3", tmp_path))
    assert ended.status == 0
    await gone("left-behind")


async def test_a_cancelled_program_is_ended_with_its_children(tmp_path: Path) -> None:
    (tmp_path / "started").unlink(missing_ok=True)
    running = asyncio.create_task(done(script("sleep 1234.6 & touch started; sleep 1234.6; true", tmp_path)))

    async def started() -> bool:
        return (tmp_path / "started").exists()

    await eventually(started)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await gone("1234.6")


async def test_a_program_ends_with_the_worker_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib\n"
        "from activities.pipeline.commands import Program, run\n"
        "from activities.pipeline.output import Kept\n"
        "words = ('/bin/sh', '-c', 'setsid sleep 1234.7 & touch started; sleep 1234.7; true')\n"
        f"program = Program(words, pathlib.Path({str(tmp_path)!r}), {{'PATH': '/usr/bin:/bin'}}, 60)\n"
        "asyncio.run(run(program, Kept(1)))\n"
    )
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", code)

    async def started() -> bool:
        return (tmp_path / "started").exists()

    await eventually(started)
    worker.kill()
    await worker.wait()
    await gone("1234.7")


async def test_a_gigabyte_of_binary_output_costs_neither_memory_nor_disk(tmp_path: Path) -> None:
    before = psutil.Process().memory_info().rss
    command = "head -c 1000000000 /dev/zero; echo the end"
    with Log(tmp_path / "log", most=1_000_000) as log:
        ended = await run(script(command, tmp_path, seconds=60), log)
    assert ended.status == 0
    assert log.size == 1_000_000_000 + len("the end\n")
    assert (tmp_path / "log").stat().st_size < 1_200_000
    assert log.tail().endswith("the end\n")
    assert psutil.Process().memory_info().rss - before < 50_000_000


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("head -c 3000000 /dev/zero > large", {"RLIMIT_FSIZE": 1_000_000}),
        (f"{sys.executable} -c 'bytes(500_000_000)'", {"RLIMIT_DATA": 200_000_000}),
        (f"{sys.executable} -c 'while True: pass'", {"RLIMIT_CPU": 1}),
    ],
)
async def test_a_program_is_held_to_its_limits(text: str, limits: dict[str, int], tmp_path: Path) -> None:
    ended, _ = await done(script(text, tmp_path, **limits))
    assert ended.status not in (0, None)


async def test_a_program_that_only_looks_is_ended_when_its_time_is_over(tmp_path: Path) -> None:
    output = Kept(100)
    assert (await ask(script("echo hi; exit 4", tmp_path), output, Kept(100))).status == 4
    assert output.text == "hi\n"
    assert (await ask(Program(("sleep", "1234.8"), tmp_path, {"PATH": "/bin"}, 0.2), output, output)).status is None
    await gone("1234.8")
