"""`sign`: signs a message, for who sends it with other tools."""

import argparse
import json
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from infra.cli.commands import Commands
from infra.errors import SetupError
from infra.signing import read_signer
from signals.messages import MESSAGES
from signals.wire import one_line

_EPILOG: Final = (
    "Prints the signed message, for the --input of `temporal workflow signal`. It counts once, in this conversation, "
    "and before any that is signed later."
)


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    parser = commands.add_parser("sign", help="sign a message to a conversation", epilog=_EPILOG)
    parser.add_argument("conversation", metavar="CONVERSATION", help="its workflow id")
    parser.add_argument("signal", choices=[model.signal for model in MESSAGES], metavar="SIGNAL", help="such as turn")
    parser.add_argument("message", metavar="JSON", help="the message")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the sender's key")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the signed message.

    Raises:
        SetupError: The key can't be read, or it is no message.
    """
    signer = read_signer(options.key)
    model = next(model for model in MESSAGES if model.signal == options.signal)
    try:
        message = model.model_validate_json(options.message)
        signed = signer.sign(options.conversation, message)
    except ValidationError as error:
        raise SetupError(f"'{options.signal}': {one_line(error)}") from error
    except ValueError as error:
        raise SetupError(f"'{options.signal}' can't be signed: {error}") from error
    print(json.dumps(signed.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False))
    return 0
