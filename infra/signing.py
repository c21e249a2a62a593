"""Signing what a participant sends: their key file, and the signatures that are made with it."""

import base64
import os
import stat
import time
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from infra.errors import SetupError
from signals.messages import Message, Signature
from workflows.conversation.signatures import signed_bytes

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class Signer:
    """Signs messages of one participant.

    Args:
        key: Their private key.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.last = 0
        """The number of the last message that was signed."""

    @property
    def public_key(self) -> str:
        """What others know them by: `key` of the participant."""
        return base64.b64encode(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    def sign(self, conversation: str, message: Message) -> Message:
        """Sign a message for a conversation, by its workflow id.

        Raises:
            ValueError: It has a number that can't be signed.
        """
        self.last = max(self.last + 1, time.time_ns() // 1000)
        value = self._key.sign(signed_bytes(conversation, message, self.last))
        signature = Signature(number=self.last, value=base64.b64encode(value).decode())
        return message.model_copy(update={"signature": signature})


def make_key(path: Path) -> Signer:
    """Make a key, in a new file that only its owner may read.

    Raises:
        SetupError: The file is there, or can't be written.
    """
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error
    return Signer(key)


def read_signer(path: Path) -> Signer:
    """Read a key file.

    Raises:
        SetupError: It can't be read, others than its owner may read it, or it has no Ed25519 key.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise SetupError(f"{path}: others may read this key: chmod 600 {path}")
            key = load_pem_private_key(file.read(), password=None)
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(f"{path}: no Ed25519 key in PEM without a password; `temporal parley keys signing` makes one")
    return Signer(key)
