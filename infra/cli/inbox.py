"""`inbox`: lists the conversations that wait for somebody."""

import argparse
import asyncio
import json
import shlex
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text
from temporalio.client import Client
from temporalio.service import RPCError

from infra.chat.room import OverError, Room, UnansweredError
from infra.cli.commands import Commands
from infra.cli.identity import identifier
from infra.connection import connect
from infra.errors import SetupError
from infra.printable import flat
from signals.names import SearchAttribute
from signals.wire import Identifier

MOST: Final = 200
"""How many conversations are listed."""

AT_A_TIME: Final = 8


class Item(BaseModel):
    """A conversation that waits for somebody."""

    conversation: str
    topic: str | None = None
    """Nothing where no worker answers for it."""

    speaker: str | None = None
    """Who said the last thing that they were given."""

    text: str | None = None
    at: datetime | None = None
    answer: str
    """The command that takes part in it."""


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    parser = commands.add_parser("inbox", help="list the conversations that wait for somebody")
    parser.add_argument(
        "--as", dest="speaker", type=identifier, required=True, metavar="SPEAKER", help="who: a participant's id"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list, for programs")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the list.

    Raises:
        SetupError: The server can't be asked.
    """
    items, more = asyncio.run(_inbox(options.speaker))
    if options.json:
        print(json.dumps([item.model_dump(mode="json") for item in items], indent=2, ensure_ascii=False))
    elif items:
        _show(items, Console(markup=False, highlight=False, emoji=False))
    else:
        print(f"Nothing waits for {options.speaker}.")
    if more:
        raise SetupError(f"more than {MOST} conversations wait for '{options.speaker}'; these are the first")
    return 0


async def _inbox(speaker: Identifier) -> tuple[list[Item], bool]:
    client = await connect()
    # An id has no quotes in it. What was terminated still says whom it waited for.
    query = f'{SearchAttribute.AWAITING}="{speaker}" AND ExecutionStatus="Running"'
    try:
        found = [execution.id async for execution in client.list_workflows(query, limit=MOST + 1)]
    except RPCError as error:
        raise SetupError(f"the namespace '{client.namespace}' can't be searched: {flat(error.message)}") from error
    gate = asyncio.Semaphore(AT_A_TIME)

    async def look(conversation: str) -> Item | None:
        async with gate:
            return await _item(client, conversation, speaker)

    items = [item for item in await asyncio.gather(*map(look, found[:MOST])) if item]
    return sorted(items, key=_waited), len(found) > MOST


def _waited(item: Item) -> tuple[bool, datetime]:
    return item.at is None, item.at or datetime.now(UTC)


async def _item(client: Client, conversation: str, speaker: Identifier) -> Item | None:
    """Look at a conversation; nothing if it doesn't wait any more."""
    room = Room(client, conversation, speaker)
    command = shlex.join(["temporal", "parley", "chat", conversation, "--as", speaker])
    try:
        status, transcript = await asyncio.gather(room.status(), room.transcript())
    except OverError:
        return None
    except UnansweredError:
        return Item(conversation=conversation, answer=command)
    if speaker not in status.awaiting:
        return None  # the list is a moment behind
    last = transcript.messages[-1] if transcript.messages else None
    return Item(
        conversation=conversation,
        topic=status.topic,
        speaker=last.speaker if last else None,
        text=last.text if last else None,
        at=last.at if last else None,
        answer=command,
    )


def _show(items: list[Item], console: Console) -> None:
    now = datetime.now(UTC)
    for item in items:
        since = f" · {_ago(now - item.at)}" if item.at else ""
        console.print(Text.assemble((flat(item.conversation, 200), "bold"), since), soft_wrap=True)
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_row("  about", Text(flat(item.topic, 200) if item.topic else "(no worker answers for it)"))
        if item.text is not None:
            said = f"{flat(item.speaker, 64)}: " if item.speaker else ""
            row.add_row("  last", Text(said + flat(item.text, 200)))
        console.print(row)
        # Not laid out: a command that is broken over lines can't be copied.
        console.print(Text(f"  answer  {flat(item.answer, 2000)}"), soft_wrap=True)


def _ago(passed: timedelta) -> str:
    """Say how long ago something was, in the largest unit."""
    seconds = max(int(passed.total_seconds()), 0)
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
