"""`chat`: takes part in a conversation, from a terminal."""

import argparse
import asyncio
import sys
from io import TextIOWrapper
from pathlib import Path

from pydantic import ValidationError
from temporalio.service import RPCError

from infra.chat.room import Room
from infra.chat.screens import screen_for
from infra.chat.session import Session, guest
from infra.cli.commands import Commands
from infra.cli.identity import identifier
from infra.config import load_config
from infra.connection import connect
from infra.conversations import conversation_of, unanswered
from infra.errors import SetupError
from infra.signing import Signer, read_signer
from signals.participants import Participant
from signals.wire import one_line

_EPILOG = "What you type is a turn; /help shows what else there is. Ctrl-D leaves the terminal, not the conversation."


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    parser = commands.add_parser("chat", help="take part in a conversation", epilog=_EPILOG)
    parser.add_argument("id", metavar="ID", help="the conversation, or a run that has one open")
    parser.add_argument(
        "--as",
        dest="speaker",
        type=identifier,
        required=True,
        metavar="SPEAKER",
        help="who you are: a participant's id",
    )
    parser.add_argument("--join", metavar="ROLE", help="join in this role, if you don't take part yet")
    parser.add_argument("--name", help="with --join: how you are shown")
    parser.add_argument("--key", type=Path, metavar="FILE", help="your key, to sign with (default: [chat] key_file)")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Talk.

    Raises:
        SetupError: There is no such conversation, or they may not take part in it.
    """
    if options.name and not options.join:
        raise SetupError("--name goes with --join ROLE")
    try:
        signer = _signer(options.key)
        key = signer.public_key if signer else None
        joining = guest(options.speaker, options.join, options.name, key) if options.join else None
    except ValidationError as error:
        raise SetupError(one_line(error)) from error
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    asyncio.run(_talk(options.id, options.speaker, joining, signer))
    return 0


def _signer(path: Path | None) -> Signer | None:
    file = path or load_config().chat.key_file
    return read_signer(file) if file else None


async def _talk(workflow_id: str, speaker: str, joining: Participant | None, signer: Signer | None) -> None:
    client = await connect()
    try:
        conversation = await conversation_of(client, workflow_id)
    except RPCError as error:
        raise unanswered(error, client, workflow_id) from error
    with screen_for(speaker) as screen:
        await Session(Room(client, conversation, speaker, signer), screen).run(joining)
