"""How everything that Parley sends and receives is written: by one data converter, which clients and workers share."""

from typing import Final

from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadConverter,
)

from infra.boundary import StrictPayloadConverter
from infra.config import Config
from infra.payloads.codec import Codec
from infra.payloads.keys import Key, Keyring, MissingKeyError, parse_keys, read_keys
from infra.payloads.settings import EncryptionSettings, PayloadSettings
from infra.payloads.storage import MOST_STORED_BYTES, external_storage


class SealedFailures(DefaultFailureConverterWithEncodedAttributes):
    """Has messages and stack traces of errors encrypted too: they quote what was said."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Write an error; only that a key is missing stays readable, for it names nothing else."""
        if isinstance(exception, MissingKeyError):
            DefaultFailureConverter().to_failure(exception, payload_converter, failure)
        else:
            super().to_failure(exception, payload_converter, failure)


def data_converter(config: Config) -> DataConverter:
    """Make the data converter that the settings ask for.

    It always has the codec: a worker without keys must not take what is encrypted for input that doesn't fit.

    Raises:
        SetupError: The keys or the place for large payloads can't be used.
    """
    keyring = keyring_of(config.encryption)
    storage = external_storage(config.payloads)
    return DataConverter(
        payload_converter_class=_storing(config.payloads) if storage else StrictPayloadConverter,
        payload_codec=Codec(keyring, config.payloads.compress_over),
        failure_converter_class=SealedFailures if keyring.current else DefaultFailureConverter,
        external_storage=storage,
    )


def keyring_of(settings: EncryptionSettings) -> Keyring:
    """Collect the keys.

    Raises:
        SetupError: They can't be read, or the current one isn't among them.
    """
    keys: dict[str, Key] = {}
    if settings.key_file:
        keys |= read_keys(settings.key_file)
    if settings.keys:
        keys |= parse_keys(settings.keys.get_secret_value(), "PARLEY_ENCRYPTION__KEYS")
    return Keyring(keys, settings.current)


def _storing(settings: PayloadSettings) -> type[StrictPayloadConverter]:
    """Make a converter that lets values pass that will be stored; Temporal makes its instances, without arguments."""

    class Storing(StrictPayloadConverter):
        most = MOST_STORED_BYTES
        inline = settings.store_over

    return Storing


PLAIN: Final = DataConverter(
    payload_converter_class=StrictPayloadConverter, payload_codec=Codec(Keyring(), compress_over=None)
)
"""Encrypts and stores nothing."""
