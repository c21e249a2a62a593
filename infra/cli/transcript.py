"""`transcript`: prints everything that was said in a conversation, from its first message."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator

from rich.console import Console
from rich.progress import Progress
from temporalio.client import Client
from temporalio.service import RPCError

from infra.chat.view import entry
from infra.cli.commands import Commands
from infra.cli.identity import identifier
from infra.config import load_config
from infra.connection import connect
from infra.conversations import conversation_of, unanswered
from infra.errors import SetupError
from infra.transcripts import Chain, Chapter, chain_of, chapters
from workflows.conversation.routing import seen_by
from workflows.extensions import ExtensionError, install, load_extension


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    parser = commands.add_parser("transcript", help="print everything that was said in a conversation")
    parser.add_argument("id", metavar="ID", help="the conversation, or a run that has held one")
    parser.add_argument(
        "--for", dest="participant", type=identifier, metavar="PARTICIPANT", help="only what this participant was given"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object a message, one on a line")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the transcript.

    Raises:
        SetupError: There is no such conversation, or not all of it can be read.
    """
    _install_extensions()
    asyncio.run(_print(options))
    return 0


def _install_extensions() -> None:
    """Make known the strategies that the worker knows: a conversation may have been set up with them."""
    for module in load_config().worker.extensions:
        try:
            install(load_extension(module))
        except ExtensionError as error:
            raise SetupError(f"[worker] extensions: {error}") from error


async def _print(options: argparse.Namespace) -> None:
    client = await connect()
    participant: str | None = options.participant
    first, members = 0, set[str]()
    try:
        conversation = await conversation_of(client, options.id, closed=True)
        chain = await chain_of(client, conversation)
        async for chapter in _with_progress(client, chain):
            if not first and chapter.messages:
                first = chapter.messages[0].seq
            members |= chapter.members
            for message in seen_by(chapter.messages, participant):
                print(message.model_dump_json() if options.json else entry(message))
    except RPCError as error:
        raise unanswered(error, client, options.id) from error
    sys.stdout.flush()
    if chain.lost:
        gone = f"messages 1 to {first - 1}" if first > 1 else "the first messages"
        raise SetupError(
            f"{gone} of '{conversation}' are gone: the server keeps the run {chain.lost} no longer "
            "(the namespace's retention says how long it does)"
        )
    if participant and participant not in members:
        raise SetupError(f"nobody called '{participant}' took part in '{conversation}'")


async def _with_progress(client: Client, chain: Chain) -> AsyncIterator[Chapter]:
    """Read, and show on the terminal how far that is where it takes long."""
    screen = Console(stderr=True)
    hidden = len(chain.runs) < 2 or not screen.is_terminal or sys.stdout.isatty()
    with Progress(console=screen, transient=True, disable=hidden) as progress:
        task = progress.add_task("reading", total=len(chain.runs))
        async for chapter in chapters(client, chain):
            yield chapter
            progress.advance(task)
