"""The demo: three support requests, from start to result, through the real `temporal` command line alone.

It starts a server and a worker of its own, with databases of its own, and ends with status 0 only if all
three requests ended as they should.
"""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from pydantic import JsonValue
from rich.console import Console
from rich.panel import Panel

from infra.demonstration import Demo, DemoError, command_line, shown
from signals.conversation import Status
from signals.support import Resolution, ResolutionStatus, SolvedBy

BOOKS: Final = Path("var/demo-business.db")
RUNS: Final = Path("var/demo-temporal.db")
LOG: Final = Path("var/demo-worker.log")


@dataclass(frozen=True)
class Story:
    """One request, and how it should end."""

    title: str
    request: dict[str, JsonValue]
    mode: SolvedBy


class SupportDemo(Demo):
    """Types the commands of support requests, and shows what comes of them."""

    def ask(self, story: Story) -> str:
        """Start a request; gives the run's workflow id."""
        self.console.print(Panel(story.title, expand=False))
        return self.start("CustomerSupport", f"support-{uuid4().hex[:6]}", story.request)

    def decide(self, conversation: str, outcome: dict[str, JsonValue], comment: str) -> None:
        """Have the agent propose an outcome; the agent may decide, so it is the outcome."""
        agent = next(p.id for p in self.query(conversation, "status", Status).participants if p.role == "agent")
        self.propose(conversation, agent, outcome, comment)

    def finish(self, run: str, story: Story) -> Resolution:
        """Wait for the result, show it, and hold it to what it should be.

        Raises:
            DemoError: It isn't.
        """
        resolution = self.result(run, Resolution)
        self.console.print_json(resolution.model_dump_json(exclude_defaults=True), indent=1)
        self.console.print()
        if (resolution.status, resolution.mode) != (ResolutionStatus.RESOLVED, story.mode):
            raise DemoError(f"{run} is {resolution.status} by {resolution.mode}, not resolved by {story.mode}")
        return resolution


ALICE: Final[JsonValue] = {"id": "C-1", "name": "Alice Martin", "email": "alice@example.com"}
BEN: Final[JsonValue] = {"id": "C-2", "name": "Ben Okafor", "email": "ben@example.com"}


def known_issue(demo: SupportDemo) -> None:
    """(a) A question that a workflow answers."""
    story = Story(
        "(a) Where is my order? A known issue: a typed workflow answers it, nobody needs to talk.",
        {"customer": ALICE, "text": "Where is my order A-1001? It should have been here by now."},
        SolvedBy.WORKFLOW,
    )
    demo.finish(demo.ask(story), story)


def refused_refund(demo: SupportDemo) -> None:
    """(b) A refund that policy refuses, and an agent approves."""
    story = Story(
        "(b) A refund over the limit: policy refuses it, people talk, the agent decides, the refund is booked.",
        {"customer": ALICE, "text": "I want my money back for A-1002, the espresso machine arrived broken."},
        SolvedBy.HYBRID,
    )
    run = demo.ask(story)
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


def unknown_issue(demo: SupportDemo) -> None:
    """(c) Something that no workflow is made for."""
    story = Story(
        "(c) A problem that no workflow is made for: it is a conversation from the start.",
        {
            "customer": BEN,
            "text": "Since I merged my two accounts, my loyalty points are gone and my invoices are wrong.",
        },
        SolvedBy.CONVERSATION,
    )
    run = demo.ask(story)
    conversation = demo.conversation_of(run)
    agent = demo.query(conversation, "status", Status).awaiting[-1]
    demo.say(run, conversation, "C-2", "I had 1,200 points before the merger. Where are they now?")
    demo.say(run, conversation, agent, "Your points were on the old account. I have just moved them over.")
    outcome: dict[str, JsonValue] = {"action": "none", "solved": True, "note": "points moved, invoices corrected"}
    demo.decide(conversation, outcome, "solved by hand")
    demo.finish(run, story)
    demo.show_transcript(conversation)


STORIES: Final = (known_issue, refused_refund, unknown_issue)


async def run_demo(console: Console, stay: bool) -> None:
    """Run the demo.

    Args:
        console: Where it is shown.
        stay: Whether to keep the Web UI when all is done.

    Raises:
        DemoError: Something didn't end as it should.
        SetupError: The server did not come up.
    """
    for path in (BOOKS, RUNS):
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
    ending = "All three ended as they should"
    async with shown(
        SupportDemo, console, target="demo", ending=ending, stay=stay, business=BOOKS, log=LOG, runs=RUNS
    ) as demo:
        for story in STORIES:
            await asyncio.to_thread(story, demo)


def main() -> int:
    """Run the demo from the command line.

    Returns:
        The exit status.
    """
    return command_line("infra.demo", __doc__, run_demo)


if __name__ == "__main__":
    sys.exit(main())
