"""The keys that what is said is encrypted with, by their ids.

A key is known by an id that people give it, and by a check that is computed from it. Both are written beside
what it encrypts, so that another key under the same id is seen for what it is, before anything is taken for forged.
"""

import base64
import binascii
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.errors import SetupError

KEY_BYTES: Final = 32
"""AES-256."""

ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class MissingKeyError(SetupError):
    """Something is encrypted with a key that isn't there.

    A worker tries the task again until it is, and nothing is lost: runs go on with the first worker that has the key.
    """


@dataclass(frozen=True)
class Key:
    """A key of AES-256.

    Args:
        id: Its name.
        secret: The key, `KEY_BYTES` long.
    """

    id: str
    secret: bytes = field(repr=False)

    @property
    def mark(self) -> str:
        """Its id and its check, as they are written beside what it encrypts."""
        return f"{self.id}:{hashlib.sha256(b'parley key ' + self.secret).hexdigest()[:8]}"

    @property
    def line(self) -> str:
        """The key as a line of a key file."""
        return f"{self.id} {base64.b64encode(self.secret).decode()}"

    @classmethod
    def new(cls, key_id: str) -> Self:
        """Make one.

        Raises:
            SetupError: The id can't be one.
        """
        if not ID.fullmatch(key_id):
            raise SetupError(f"'{key_id}' can't be a key's id: letters, digits and ._-, at most 32 of them")
        return cls(key_id, AESGCM.generate_key(KEY_BYTES * 8))


class Keyring:
    """All the keys that are there, and the one that encrypts.

    Args:
        keys: The keys, by id.
        current: The id of the one that encrypts; nothing is encrypted where it is empty.

    Raises:
        SetupError: The current one isn't among them, or is not named.
    """

    def __init__(self, keys: Mapping[str, Key] | None = None, current: str | None = None) -> None:
        keys = keys or {}
        there = ", ".join(keys) or "none"
        if keys and current is None:
            raise SetupError(f'[encryption] current: say which key encrypts ({there}), or "" to encrypt nothing more')
        if current and current not in keys:
            raise SetupError(
                f"[encryption] current: there is no key '{current}', there are: {there}; keys are given by key_file, "
                "or by PARLEY_ENCRYPTION__KEYS"
            )
        self._ciphers = {key.mark: AESGCM(key.secret) for key in keys.values()}
        self.current: Final = keys[current].mark if current else None
        """The mark of the key that encrypts."""

    def cipher(self, mark: str) -> AESGCM:
        """Give the cipher of a key.

        Raises:
            MissingKeyError: It isn't there.
        """
        if mark in self._ciphers:
            return self._ciphers[mark]
        key_id = mark.partition(":")[0]
        if any(known.startswith(f"{key_id}:") for known in self._ciphers):
            raise MissingKeyError(
                f"the key '{key_id}' is not the one that encrypted this: give the old key back its id, "
                "and the new one another"
            )
        raise MissingKeyError(
            f"the key '{key_id}' is not there: add it to the key file, or to PARLEY_ENCRYPTION__KEYS; "
            "[encryption] current need not change"
        )


def read_keys(path: Path) -> dict[str, Key]:
    """Read a key file.

    Raises:
        SetupError: It can't be read, others than its owner may read it, or a line is no key.
    """
    try:
        with path.open(encoding="ascii") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise SetupError(f"{path}: others may read these keys: chmod 600 {path}")
            return parse_keys(file.read(), str(path))
    except UnicodeDecodeError:
        raise SetupError(f"{path}: is no key file: a line is ID KEY, all of ASCII") from None
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error


def parse_keys(text: str, where: str) -> dict[str, Key]:
    """Read keys, a line each: an id, a space, and the key in base64. Empty lines and those with a # are passed over.

    Args:
        text: The lines.
        where: What they are from, for messages.

    Raises:
        SetupError: A line is no key, or an id is there twice.
    """
    keys: dict[str, Key] = {}
    for number, line in _told(text):
        key = _key(line)
        if key is None:
            raise SetupError(f"{where}: line {number} is no key: it must be ID KEY, the key of 32 bytes in base64")
        if key.id in keys:
            raise SetupError(f"{where}: line {number}: there is a key '{key.id}' already")
        keys[key.id] = key
    return keys


def write_key(path: Path, key: Key) -> None:
    """Add a key to a file, which is made where there is none, for its owner only.

    Raises:
        SetupError: It can't be written, or has a key of that id.
    """
    if path.exists() and key.id in read_keys(path):
        raise SetupError(f"{path}: there is a key '{key.id}' already: name another with --id")
    try:
        with open(path, "a", encoding="ascii", opener=_for_its_owner) as file:
            file.write(f"{key.line}\n")
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _told(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _key(line: str) -> Key | None:
    match line.split():
        case [key_id, text] if ID.fullmatch(key_id):
            try:
                secret = base64.b64decode(text, validate=True)
            except binascii.Error:
                return None
            return Key(key_id, secret) if len(secret) == KEY_BYTES else None
        case _:
            return None
