"""`keys`: makes keys."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from infra.cli.commands import Commands
from infra.payloads.keys import Key, write_key
from infra.signing import make_key


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    kinds = commands.add_parser("keys", help="make keys").add_subparsers(metavar="KIND", required=True)
    parser = kinds.add_parser(
        "encryption",
        help="a key that payloads are encrypted with",
        epilog="Give it to every worker, client and codec server first; then name it as [encryption] current.",
    )
    parser.add_argument("--id", metavar="ID", help="its id (default: today's date)")
    parser.add_argument("--file", type=Path, metavar="FILE", help="add it to this key file (default: print it)")
    parser.set_defaults(command=encryption)
    parser = kinds.add_parser(
        "signing",
        help="a key that a participant's messages are signed with",
        epilog="Prints the public half, which is the participant's `key`; the file is for them alone.",
    )
    parser.add_argument("--file", type=Path, metavar="FILE", required=True, help="where to put it; a new file")
    parser.set_defaults(command=signing)


def signing(options: argparse.Namespace) -> int:
    """Make a participant's key, and print its public half.

    Raises:
        SetupError: The file is there, or can't be written.
    """
    print(make_key(options.file).public_key)
    return 0


def encryption(options: argparse.Namespace) -> int:
    """Make a key, and print it or add it to a file.

    Raises:
        SetupError: The id can't be one, or the file can't be written.
    """
    key = Key.new(options.id or datetime.now(UTC).date().isoformat())
    if options.file:
        write_key(options.file, key)
        print(f"The key '{key.id}' is in {options.file}.")
    else:
        print(key.line)
    return 0
