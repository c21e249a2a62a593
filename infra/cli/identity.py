"""Participants' ids on the command line."""

import argparse
from typing import Final

from pydantic import TypeAdapter, ValidationError

from signals.wire import Identifier

_IDENTIFIER: Final = TypeAdapter[str](Identifier)


def identifier(text: str) -> str:
    """Take a participant's id as an argument.

    Raises:
        ArgumentTypeError: It can't be one.
    """
    try:
        return _IDENTIFIER.validate_python(text)
    except ValidationError:
        raise argparse.ArgumentTypeError("an id has letters, digits and ._@+-, at most 64 of them") from None
