"""Where payloads are kept that are too large for a history: a folder that all workers share, or a bucket of S3.

Temporal's own external storage does the work; the history holds a reference. What is stored is already compressed and
encrypted. It is named by its hash, so the same payload is stored once, and one that was changed is refused.
Nothing is ever removed: a history may refer to it for as long as the namespace retains it.
"""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from temporalio.api.common.v1 import Payload
from temporalio.contrib.aws.s3driver import S3StorageDriver, S3StorageDriverClient
from temporalio.converter import (
    ExternalStorage,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from infra.errors import SetupError
from infra.payloads.settings import PayloadSettings

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

MOST_STORED_BYTES: Final = 16 * 1024 * 1024
"""The largest payload that is stored; reading a larger one would take a workflow task too long."""

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_SECONDS: Final = 10


class FolderDriver(StorageDriver):
    """Keeps payloads as files.

    Args:
        folder: Where; the same for all that read and write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def name(self) -> str:
        """The name that references know it by."""
        return "parley.folder"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """Write payloads, and be sure that they are on the disk before the history refers to them."""
        return await asyncio.to_thread(lambda: [self._write(payload.SerializeToString()) for payload in payloads])

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Read payloads.

        Raises:
            OSError: One isn't there; the task is tried again.
            ValueError: One is not what was written.
        """
        return await asyncio.to_thread(lambda: [self._read(claim) for claim in claims])

    def _write(self, data: bytes) -> StorageDriverClaim:
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(path)
            for folder in (path.parent, self._folder):
                _sync(folder)
        return StorageDriverClaim({"sha256": digest})

    def _read(self, claim: StorageDriverClaim) -> Payload:
        digest = claim.claim_data.get("sha256", "")
        if not _HASH.fullmatch(digest):
            raise ValueError("a reference to a stored payload names no hash")  # and may name no other file
        data = self._path(digest).read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise ValueError(f"{self._path(digest)}: not what was written")
        return Payload.FromString(data)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Bucket(S3StorageDriverClient):
    """S3 for Temporal's driver, by AWS's own library, whose calls block."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    async def put_object(self, *, bucket: str, key: str, data: bytes) -> None:
        await asyncio.to_thread(self._client.put_object, Bucket=bucket, Key=key, Body=data)

    async def object_exists(self, *, bucket: str, key: str) -> bool:
        try:
            await asyncio.to_thread(self._client.head_object, Bucket=bucket, Key=key)
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "404":
                return False
            raise
        return True

    async def get_object(self, *, bucket: str, key: str) -> bytes:
        return await asyncio.to_thread(lambda: self._client.get_object(Bucket=bucket, Key=key)["Body"].read())


def external_storage(settings: PayloadSettings) -> ExternalStorage | None:
    """Give the place for large payloads that the settings name, if they name one.

    Raises:
        SetupError: They name two, or the folder can't be made, or S3 can't be used.
    """
    if settings.folder and settings.bucket:
        raise SetupError("[payloads] folder and bucket: large payloads are kept in one place, name one of them")
    if settings.folder:
        return ExternalStorage([FolderDriver(_made(settings.folder))], payload_size_threshold=settings.store_over)
    if settings.bucket:
        driver = S3StorageDriver(_Bucket(_s3()), settings.bucket, max_payload_size=MOST_STORED_BYTES * 2)
        return ExternalStorage([driver], payload_size_threshold=settings.store_over)
    return None


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"[payloads] folder: {folder}: {error.strerror}") from error
    return folder


def _s3() -> "S3Client":
    try:
        import boto3  # half a second, and not installed where no bucket is used
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise SetupError("[payloads] bucket: S3 needs a package: pip install boto3") from error
    try:
        return boto3.client("s3", config=Config(connect_timeout=_SECONDS, read_timeout=_SECONDS))
    except (BotoCoreError, ValueError) as error:
        raise SetupError(f"[payloads] bucket: {error}") from error
