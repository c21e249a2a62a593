"""What a development pipeline adds to the commands that it runs, and what a large log costs."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import psutil
from rich.console import Console
from temporalio.client import Client

from activities.pipeline.commands import Program, run
from activities.pipeline.output import Log
from signals.names import WorkflowType
from tests.harness import running_worker
from tests.unit.pipeline.projects import Project
from tests.workflows.pipelines import Floor
from workflows.library import WORKFLOWS

COMMANDS = {"build": ["sleep", "0.5"], "lint": ["sleep", "1"], "test": ["sleep", "1"]}
LOG_BYTES = 100_000_000
RUNS = 5


async def overhead(client: Client, console: Console) -> None:
    """Print how long a run without conversations takes, and its commands in sequence by themselves."""
    began = time.perf_counter()
    for command in COMMANDS.values():
        await asyncio.to_thread(subprocess.run, command, check=True, timeout=60)
    bare = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "shop")
        project.commit({"shop.py": ""})
        stages = {name: {"command": command} for name, command in COMMANDS.items()}
        deploy = {"kind": "releases", "target": "bench"}
        pipeline = {**stages, "deploy": deploy, "review": {"approvals": 0}, "assistants": False}
        request = {"repository": str(project.path), "commit": "main", "author": "ann", "pipeline": pipeline}
        took = []
        async with running_worker(client, WORKFLOWS, Floor(client, Path(folder), at_once=4).activities) as queue:
            for _ in range(RUNS):
                began = time.perf_counter()
                await client.execute_workflow(
                    WorkflowType.DEVELOPMENT_PIPELINE, request, id=f"bench-{uuid4()}", task_queue=queue
                )
                took.append(time.perf_counter() - began)
    best, median = min(took), sorted(took)[RUNS // 2]
    console.print(
        f"A pipeline of {bare:.2f} s of commands in sequence, 1.5 s where they overlap: {best:.2f} s at best, "
        f"{median:.2f} s in the median, with checkout and deployment"
    )


async def log_memory(console: Console) -> None:
    """Print what a command that prints 100 MB costs in the worker's memory."""
    process = psutil.Process()
    script = f"import sys\nfor _ in range({LOG_BYTES} // 1000): sys.stdout.write('x' * 999 + '\\n')"
    with tempfile.TemporaryDirectory() as folder:
        program = Program((sys.executable, "-c", script), Path(folder), {"PATH": os.defpath}, 300)
        before = process.memory_info().rss
        most = 0
        began = time.perf_counter()
        with Log(Path(folder) / "log") as log:
            running = asyncio.create_task(run(program, log))
            while not running.done():
                most = max(most, process.memory_info().rss - before)
                await asyncio.sleep(0.01)
        took = time.perf_counter() - began
        kept = (Path(folder) / "log").stat().st_size
    console.print(
        f"A log of {log.size / 1e6:.0f} MB: {most / 1e6:.1f} MB more memory at most, "
        f"{kept / 1e6:.0f} MB kept, {took:.1f} s"
    )
