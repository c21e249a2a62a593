"""What is done to every payload on its way to Temporal and back: it is compressed, then encrypted.

A payload that was neither is passed through as it is, so what the command line sends as plain JSON is read too.
"""

import os
import zlib
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from infra.payloads.keys import Keyring

ENCODING: Final = "encoding"
KEY_ID: Final = "encryption-key-id"
ENCRYPTED: Final = b"binary/encrypted"
COMPRESSED: Final = b"binary/zlib"

MOST_DECOMPRESSED: Final = 64 * 1024 * 1024
"""Bytes that a payload may grow to; what would become larger is left as it came."""

NONCE_BYTES: Final = 12
"""Chosen at random, which is safe for 2**32 payloads with one key."""

_LEVEL: Final = 1
"""Of zlib: five times faster than the best, and within a tenth of its size on what conversations carry."""


class Codec(PayloadCodec):
    """Compresses and encrypts, and undoes both.

    Args:
        keyring: The keys.
        compress_over: How large a payload must be to be compressed, in bytes; nothing is where there is none.
    """

    def __init__(self, keyring: Keyring, compress_over: int | None) -> None:
        self._keyring = keyring
        self._compress_over = compress_over

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Compress what is large, and encrypt, if there is a current key."""
        return [self._encrypted(self._compressed(payload)) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt and decompress.

        What can be neither, though the key is there, is broken or forged. It is left as it came: the boundary then
        refuses it like any other input that isn't JSON.

        Raises:
            MissingKeyError: A key isn't there.
        """
        return [_decompressed(self._decrypted(payload)) for payload in payloads]

    def _compressed(self, payload: Payload) -> Payload:
        if self._compress_over is None or payload.ByteSize() <= self._compress_over:
            return payload
        compressed = Payload(
            metadata={ENCODING: COMPRESSED}, data=zlib.compress(payload.SerializeToString(), level=_LEVEL)
        )
        return compressed if compressed.ByteSize() < payload.ByteSize() else payload

    def _encrypted(self, payload: Payload) -> Payload:
        mark = self._keyring.current
        if mark is None:
            return payload
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keyring.cipher(mark).encrypt(nonce, payload.SerializeToString(), None)
        return Payload(metadata={ENCODING: ENCRYPTED, KEY_ID: mark.encode()}, data=nonce + sealed)

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get(ENCODING) != ENCRYPTED or KEY_ID not in payload.metadata:
            return payload
        cipher = self._keyring.cipher(payload.metadata[KEY_ID].decode(errors="replace"))
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, sealed, None))
        except (InvalidTag, ValueError, DecodeError):
            return payload


def _decompressed(payload: Payload) -> Payload:
    if payload.metadata.get(ENCODING) != COMPRESSED:
        return payload
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(payload.data, MOST_DECOMPRESSED)
        return Payload.FromString(data) if inflater.eof else payload
    except (zlib.error, DecodeError):
        return payload
