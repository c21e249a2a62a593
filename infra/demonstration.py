"""What demos share: a server and a worker of their own, commands that are typed, and how what comes of it is shown."""

import argparse
import asyncio
import base64
import json
import shlex
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, JsonValue, TypeAdapter
from rich.console import Console
from rich.markup import escape

from infra.config import demo_environment, load_config
from infra.devserver import DevServer, temporal_program
from infra.errors import SetupError
from signals.conversation import MessageKind, Status, Transcript
from signals.participants import Kind
from signals.run import Progress

CLI_SECONDS: Final = 20.0
REPLY_SECONDS: Final = 60.0
READY_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.3

EXACT: Final = ("-o", "json", "--no-json-shorthand-payloads")
"""For programs: in its usual form the command line prints an empty list as null."""

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class DemoError(Exception):
    """Something didn't end as it should; the text says what."""


class Demo:
    """Types commands and shows what comes of them.

    Args:
        console: Where it is shown.
        environment: What the commands are run with.
        ui: The Web UI's address.
    """

    def __init__(self, console: Console, environment: dict[str, str], ui: str) -> None:
        self.console = console
        self._environment = environment
        self.ui = ui
        self._shown: dict[str, int] = {}

    # Commands

    def temporal(self, *words: str, show: bool = True, seconds: float = CLI_SECONDS) -> str:
        """Run a `temporal` command, as a person would type it, for so many seconds at most.

        Raises:
            DemoError: It said no.
        """
        if show:
            self.console.print(f"[dim]$ temporal {escape(shlex.join(words))}[/dim]", highlight=False, soft_wrap=True)
        done = subprocess.run(
            [temporal_program(), *words],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise DemoError(f"temporal {shlex.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def query(self, workflow_id: str, name: str, model: type[T]) -> T:
        """Ask a run or a conversation something, without showing it."""
        words = ("workflow", "query", "--workflow-id", workflow_id, "--name", name)
        answer = json.loads(self.temporal(*words, *EXACT, show=False))["queryResult"]
        return TypeAdapter(model).validate_json(_payload_of(answer))

    def signal(self, workflow_id: str, name: str, payload: dict[str, JsonValue]) -> None:
        """Send a signal."""
        self.temporal(
            *("workflow", "signal", "--workflow-id", workflow_id, "--name", name, "--input", json.dumps(payload))
        )

    # Steps of a story

    def start(self, workflow: str, workflow_id: str, request: Mapping[str, JsonValue]) -> str:
        """Start a run; gives its workflow id."""
        self.temporal(
            *("workflow", "start", "--type", workflow, "--task-queue", "parley"),
            *("--workflow-id", workflow_id, "--input", json.dumps(request)),
        )
        self.console.print(f"  Web UI: {self.ui}/namespaces/default/workflows/{workflow_id}\n", highlight=False)
        return workflow_id

    def conversation_of(self, run: str, seconds: float = REPLY_SECONDS) -> str:
        """Wait until a run has opened a conversation; gives the conversation's workflow id."""

        def opened() -> str | None:
            records = self.query(run, "progress", Progress).conversations
            return records[-1].id if records and records[-1].closed is None else None

        conversation = self.until(opened, f"{run} opens a conversation", seconds)
        status = self.query(conversation, "status", Status)
        self.console.print(f"  [bold]Broken out[/bold] into [cyan]{conversation}[/cyan]: {escape(status.topic)}")
        self.console.print(f"  It waits for: {', '.join(status.awaiting)}\n")
        return conversation

    def say(self, run: str, conversation: str, speaker: str, text: str, assistant: str = "assistant") -> None:
        """Send a turn to the run, which passes it on, and wait for the assistant's answer."""
        self.signal(run, "turn", {"speaker": speaker, "text": text})

        def answered() -> bool:
            messages = self.query(conversation, "transcript", Transcript).messages
            said = any(message.speaker == speaker and message.text == text for message in messages)
            # It may choose to say nothing; then it is done as well.
            return said and assistant not in self.query(conversation, "status", Status).replying

        with self.console.status(f"the {assistant} is replying"):
            self.until(answered, f"the {assistant} answers", REPLY_SECONDS)
        self.show_transcript(conversation)

    def show_transcript(self, conversation: str) -> None:
        """Show what was said since the last look."""
        models = {who.id for who in self.query(conversation, "status", Status).participants if who.kind is Kind.AI}
        seen = self._shown.get(conversation, 0)
        for message in self.query(conversation, "transcript", Transcript).messages:
            if message.seq > seen:
                colour = "yellow" if message.speaker is None else "magenta" if message.speaker in models else "green"
                style = "italic " if message.kind is not MessageKind.TURN else ""
                who = message.speaker or "-"
                self.console.print(
                    f"  {message.seq:>2} [{colour}]{who:<10}[/] [{style}default]{escape(message.text)}[/]"
                )
                self._shown[conversation] = message.seq
        self.console.print()

    def propose(self, conversation: str, speaker: str, outcome: dict[str, JsonValue], comment: str) -> None:
        """Have somebody propose an outcome."""
        self.signal(conversation, "propose", {"speaker": speaker, "outcome": outcome, "comment": comment})

    def result(self, run: str, model: type[M], seconds: float = CLI_SECONDS) -> M:
        """Wait for a run's result, for so many seconds at most."""
        self.temporal("workflow", "result", "--workflow-id", run, seconds=seconds)
        ended = json.loads(self.temporal("workflow", "result", "--workflow-id", run, *EXACT, show=False))
        answer = ended["closeEvent"]["workflowExecutionCompletedEventAttributes"]["result"]
        return model.model_validate_json(_payload_of(answer))

    def until(self, ask: Callable[[], T | None], what: str, seconds: float) -> T:
        """Ask again until there is an answer.

        Raises:
            DemoError: There was none in time.
        """
        deadline = time.monotonic() + seconds
        while not (answer := ask()):
            if time.monotonic() > deadline:
                raise DemoError(f"waited {seconds:.0f} s in vain until {what}")
            time.sleep(POLL_SECONDS)
        return answer


def _payload_of(payloads: dict[str, list[dict[str, str]]]) -> bytes:
    """The one payload that the command line prints."""
    return base64.b64decode(payloads["payloads"][0]["data"])


@contextmanager
def worker_process(environment: dict[str, str], log: Path) -> Iterator[None]:
    """Run a worker process until the block ends.

    Args:
        environment: Its environment.
        log: Where what it says goes.

    Raises:
        DemoError: It does not come up.
    """
    with log.open("w+") as output:
        process = subprocess.Popen([sys.executable, "worker.py"], env=environment, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + READY_SECONDS
            while "Parley worker:" not in log.read_text():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise DemoError(f"the worker did not come up; {log} says: {log.read_text()[-500:]}")
                time.sleep(POLL_SECONDS)
            yield
        finally:
            process.terminate()
            try:
                process.wait(READY_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def who_speaks(model: str, demo: str) -> str:
    """Say whose the words of AI participants are.

    Args:
        model: The model that the settings name.
        demo: The target of the Makefile.
    """
    if model != "local":
        return f"The assistant is spoken for by {model}.\n"
    return (
        "The assistant is spoken for by SmolLM2-135M, tiny and embedded: its words are poor. For a better one:\n"
        f"  PARLEY_ASSISTANT__MODEL=openai:gpt-5 OPENAI_API_KEY=... make {demo}\n"
    )


D = TypeVar("D", bound=Demo)


@asynccontextmanager
async def shown(
    demo: type[D],
    console: Console,
    *,
    target: str,
    ending: str,
    stay: bool,
    business: Path,
    log: Path,
    runs: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[D]:
    """Have a server and a worker while a demo is shown, and say how it ended.

    Args:
        demo: What types the commands.
        console: Where it is shown.
        target: The target of the Makefile.
        ending: What is said when all went well.
        stay: Whether to keep the Web UI then, until Ctrl-C.
        business: The database of the worker's books.
        log: Where what the worker says goes.
        runs: The server's database; None to forget everything at the end.
        variables: More environment variables of the worker.

    Raises:
        DemoError: The worker did not come up.
        SetupError: The server did not come up, or ended by itself.
    """
    began = time.monotonic()
    async with DevServer(ui_port=0, db=runs) as server:
        environment = {**demo_environment(server.address, f"sqlite:///{business}"), **(variables or {})}
        console.print(f"Temporal server at {server.address}, Web UI at {server.ui}", highlight=False)
        console.print(who_speaks(load_config().assistant.model, target), highlight=False)
        with worker_process(environment, log):
            yield demo(console, environment, str(server.ui))
            console.print(f"[bold green]{ending}, in {time.monotonic() - began:.0f} s.[/]")
            if stay:
                console.print(f"The Web UI stays at {server.ui}; Ctrl-C ends it.")
                await server.ended()


def command_line(module: str, about: str | None, run: Callable[[Console, bool], Coroutine[None, None, None]]) -> int:
    """Run a demo from the command line.

    Args:
        module: The demo's module.
        about: Its docstring.
        run: Shows the demo on a console, and keeps the Web UI if that is wanted.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument("--stay", action="store_true", help="keep the Web UI when all is done, until Ctrl-C")
    options = parser.parse_args()
    console = Console()
    try:
        asyncio.run(run(console, options.stay))
    except (DemoError, SetupError) as error:
        console.print(f"[bold red]The demo failed:[/] {escape(str(error))}")
        return 1
    except KeyboardInterrupt:
        pass
    return 0
