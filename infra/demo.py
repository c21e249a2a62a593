"""The demo: three support requests, from start to result, through the real `temporal` command line alone.

It starts a server and a worker of its own, with databases of its own, and ends with status 0 only if all
three requests ended as they should.
"""

import argparse
import asyncio
import base64
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from uuid import uuid4

from pydantic import JsonValue, TypeAdapter
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from infra.config import demo_environment, load_config
from infra.devserver import DevServer, temporal_program
from infra.errors import SetupError
from signals.conversation import MessageKind, Status, Transcript
from signals.participants import Kind
from signals.run import Progress
from signals.support import Resolution, ResolutionStatus, SolvedBy

CLI_SECONDS: Final = 20.0
REPLY_SECONDS: Final = 60.0
READY_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.3
BOOKS: Final = Path("var/demo-business.db")
RUNS: Final = Path("var/demo-temporal.db")
LOG: Final = Path("var/demo-worker.log")

EXACT: Final = ("-o", "json", "--no-json-shorthand-payloads")
"""For programs: in its usual form the command line prints an empty list as null."""

T = TypeVar("T")


class DemoError(Exception):
    """Something didn't end as it should; the text says what."""


@dataclass(frozen=True)
class Story:
    """One request, and how it should end."""

    title: str
    request: dict[str, JsonValue]
    mode: SolvedBy


class Demo:
    """Types commands and shows what comes of them."""

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
        return TypeAdapter(model).validate_json(payload_of(answer))

    def signal(self, workflow_id: str, name: str, payload: dict[str, JsonValue]) -> None:
        """Send a signal."""
        self.temporal(
            *("workflow", "signal", "--workflow-id", workflow_id, "--name", name, "--input", json.dumps(payload))
        )

    # Steps of a story

    def start(self, story: Story) -> str:
        """Start a request; gives the run's workflow id."""
        self.console.print(Panel(story.title, expand=False))
        workflow_id = f"support-{uuid4().hex[:6]}"
        self.temporal(
            *("workflow", "start", "--type", "CustomerSupport", "--task-queue", "parley"),
            *("--workflow-id", workflow_id, "--input", json.dumps(story.request)),
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

    def decide(self, conversation: str, outcome: dict[str, JsonValue], comment: str) -> None:
        """Have the agent propose an outcome; the agent may decide, so it is the outcome."""
        agent = next(p.id for p in self.query(conversation, "status", Status).participants if p.role == "agent")
        self.signal(conversation, "propose", {"speaker": agent, "outcome": outcome, "comment": comment})

    def finish(self, run: str, story: Story) -> Resolution:
        """Wait for the result, show it, and hold it to what it should be.

        Raises:
            DemoError: It isn't.
        """
        self.temporal("workflow", "result", "--workflow-id", run)
        ended = json.loads(self.temporal("workflow", "result", "--workflow-id", run, *EXACT, show=False))
        answer = ended["closeEvent"]["workflowExecutionCompletedEventAttributes"]["result"]
        resolution = Resolution.model_validate_json(payload_of(answer))
        self.console.print_json(resolution.model_dump_json(exclude_defaults=True), indent=1)
        self.console.print()
        if (resolution.status, resolution.mode) != (ResolutionStatus.RESOLVED, story.mode):
            raise DemoError(f"{run} is {resolution.status} by {resolution.mode}, not resolved by {story.mode}")
        return resolution

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


ALICE: Final[JsonValue] = {"id": "C-1", "name": "Alice Martin", "email": "alice@example.com"}
BEN: Final[JsonValue] = {"id": "C-2", "name": "Ben Okafor", "email": "ben@example.com"}


def known_issue(demo: Demo) -> None:
    """(a) A question that a workflow answers."""
    story = Story(
        "(a) Where is my order? A known issue: a typed workflow answers it, nobody needs to talk.",
        {"customer": ALICE, "text": "Where is my order A-1001? It should have been here by now."},
        SolvedBy.WORKFLOW,
    )
    demo.finish(demo.start(story), story)


def refused_refund(demo: Demo) -> None:
    """(b) A refund that policy refuses, and an agent approves."""
    story = Story(
        "(b) A refund over the limit: policy refuses it, people talk, the agent decides, the refund is booked.",
        {"customer": ALICE, "text": "I want my money back for A-1002, the espresso machine arrived broken."},
        SolvedBy.HYBRID,
    )
    run = demo.start(story)
    conversation = demo.conversation_of(run)
    agent = demo.query(conversation, "status", Status).awaiting[-1]
    demo.say(run, conversation, "C-1", "Hello, the machine arrived with a broken boiler. Can I have my money back?")
    demo.say(run, conversation, agent, "I am sorry about that. I have seen the photos, and I will approve the refund.")
    outcome: dict[str, JsonValue] = {
        "action": "refund",
        "order_id": "A-1002",
        "amount": "180.00",
        "note": "arrived broken, photos seen",
    }
    demo.decide(conversation, outcome, "a full refund")
    resolution = demo.finish(run, story)
    demo.show_transcript(conversation)
    if resolution.result.details.get("amount") != "180.00":
        raise DemoError(f"the refund was not booked: {resolution.result}")


def unknown_issue(demo: Demo) -> None:
    """(c) Something that no workflow is made for."""
    story = Story(
        "(c) A problem that no workflow is made for: it is a conversation from the start.",
        {
            "customer": BEN,
            "text": "Since I merged my two accounts, my loyalty points are gone and my invoices are wrong.",
        },
        SolvedBy.CONVERSATION,
    )
    run = demo.start(story)
    conversation = demo.conversation_of(run)
    agent = demo.query(conversation, "status", Status).awaiting[-1]
    demo.say(run, conversation, "C-2", "I had 1,200 points before the merger. Where are they now?")
    demo.say(run, conversation, agent, "Your points were on the old account. I have just moved them over.")
    outcome: dict[str, JsonValue] = {"action": "none", "solved": True, "note": "points moved, invoices corrected"}
    demo.decide(conversation, outcome, "solved by hand")
    demo.finish(run, story)
    demo.show_transcript(conversation)


STORIES: Final = (known_issue, refused_refund, unknown_issue)


def payload_of(payloads: dict[str, list[dict[str, str]]]) -> bytes:
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


async def run_demo(console: Console, *, stay: bool) -> None:
    """Run the demo.

    Raises:
        DemoError: Something didn't end as it should.
        SetupError: The server did not come up.
    """
    for path in (BOOKS, RUNS):
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
    began = time.monotonic()
    async with DevServer(ui_port=0, db=RUNS) as server:
        environment = demo_environment(server.address, f"sqlite:///{BOOKS}")
        console.print(f"Temporal server at {server.address}, Web UI at {server.ui}", highlight=False)
        console.print(who_speaks(load_config().assistant.model, "demo"), highlight=False)
        with worker_process(environment, LOG):
            demo = Demo(console, environment, str(server.ui))
            for story in STORIES:
                await asyncio.to_thread(story, demo)
            console.print(f"[bold green]All three ended as they should, in {time.monotonic() - began:.0f} s.[/]")
            if stay:
                console.print(f"The Web UI stays at {server.ui}; Ctrl-C ends it.")
                await server.ended()


def main() -> int:
    """Run the demo from the command line.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.demo", description=__doc__)
    parser.add_argument("--stay", action="store_true", help="keep the Web UI when all is done, until Ctrl-C")
    options = parser.parse_args()
    console = Console()
    try:
        asyncio.run(run_demo(console, stay=options.stay))
    except (DemoError, SetupError) as error:
        console.print(f"[bold red]The demo failed:[/] {escape(str(error))}")
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
