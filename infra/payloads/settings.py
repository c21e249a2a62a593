from pathlib import Path

from pydantic import Field, SecretStr

from infra.table import Address, Table


class PayloadSettings(Table):
    """`[payloads]`: how what is said is kept by Temporal; clients and workers must agree on where."""

    compress_over: int | None = Field(default=None, ge=0)
    """Payloads of more bytes are compressed, and then read with the codec server; none are where this is left out."""

    folder: Path | None = None
    """Where large payloads are kept instead of in histories: a folder that all workers and clients share."""

    bucket: str | None = Field(default=None, min_length=3)
    """The same in S3; credentials, region and endpoint are AWS's own settings."""

    store_over: int = Field(default=256 * 1024, ge=1024, le=1024 * 1024)
    """Payloads of more bytes are large."""


class EncryptionSettings(Table):
    """`[encryption]`: the keys that payloads are encrypted with."""

    current: str | None = None
    """The id of the key that encrypts; nothing is encrypted without. The others decrypt what was."""

    key_file: Path | None = None
    """A line `ID KEY` for each key, as `temporal parley keys encryption` makes them; only its owner may read it."""

    keys: SecretStr | None = Field(default=None, exclude=True)
    """The same lines, from the environment only."""


class CodecSettings(Table):
    """`[codec]`: the server that decrypts for the command line and the Web UI."""

    address: Address = "127.0.0.1:8081"
    """Where it listens."""

    origins: tuple[str, ...] = ("http://127.0.0.1:8233", "http://localhost:8233")
    """The Web UIs whose pages may ask it."""

    token: SecretStr | None = Field(default=None, exclude=True, min_length=16)
    """What who asks must show; from the environment only. One is made where there is none."""
