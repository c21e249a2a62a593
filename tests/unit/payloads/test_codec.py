"""The codec: what comes out is what went in, and says nothing on the way; what isn't ours passes through."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from infra.boundary import MAX_PAYLOAD_BYTES
from infra.config import Config
from infra.payloads.codec import COMPRESSED, ENCRYPTED, Codec
from infra.payloads.converter import PLAIN, data_converter
from infra.payloads.keys import Key, Keyring, MissingKeyError
from infra.payloads.settings import EncryptionSettings

OLD, NEW = Key("old", b"o" * 32), Key("new", b"n" * 32)
KEYS = {"old": OLD, "new": NEW}
SECRET = Payload(metadata={"encoding": b"json/plain"}, data=b'"between us"')
LONG = Payload(metadata={"encoding": b"json/plain"}, data=b'"' + b"again and again " * 500 + b'"')

TEMPORAL_REFUSES = 2 * 1024 * 1024


def codec(current: str | None = "new", compress_over: int | None = 1024) -> Codec:
    return Codec(Keyring(KEYS if current is not None else {}, current), compress_over)


@given(
    st.lists(st.builds(Payload, data=st.binary(max_size=4000), metadata=st.dictionaries(st.text(), st.binary()))),
    st.sampled_from(["old", "new", "", None]),
    st.sampled_from([0, 1024, None]),
)
async def test_what_comes_out_is_what_went_in(
    payloads: list[Payload], current: str | None, compress_over: int | None
) -> None:
    one = codec(current, compress_over)
    assert await codec("new").decode(await one.encode(payloads)) == payloads


async def test_of_what_is_encrypted_only_the_key_s_name_can_be_read() -> None:
    [sealed] = await codec().encode([SECRET])
    assert dict(sealed.metadata) == {"encoding": ENCRYPTED, "encryption-key-id": NEW.mark.encode()}
    assert b"between" not in sealed.SerializeToString()


async def test_the_same_is_never_written_the_same_twice() -> None:
    first, second = await codec().encode([SECRET, SECRET])
    assert first.data != second.data


async def test_an_old_key_still_decrypts_when_another_encrypts() -> None:
    sealed = await codec("old").encode([SECRET])
    assert await codec("new").decode(sealed) == [SECRET]
    assert await codec("").decode(sealed) == [SECRET]


async def test_a_key_that_is_missing_is_an_error_and_not_bad_input() -> None:
    sealed = await codec("old").encode([SECRET])
    with pytest.raises(MissingKeyError):
        await Codec(Keyring(), None).decode(sealed)


async def test_what_is_large_is_compressed_first() -> None:
    [compressed] = await codec(None).encode([LONG])
    [sealed] = await codec("new").encode([LONG])
    assert compressed.metadata["encoding"] == COMPRESSED
    assert compressed.ByteSize() < sealed.ByteSize() < LONG.ByteSize() / 10


async def test_what_compression_would_make_larger_stays_as_it_is() -> None:
    dense = Payload(data=hashlib.shake_128().digest(2000))
    assert await codec(None, compress_over=0).encode([SECRET, dense]) == [SECRET, dense]


@pytest.mark.parametrize("place", [0, 5, 20, -1])
async def test_what_was_changed_is_not_read_but_left_as_it_came(place: int) -> None:
    [sealed] = await codec().encode([SECRET])
    data = bytearray(sealed.data)
    data[place] ^= 1
    sealed.data = bytes(data)
    assert await codec().decode([sealed]) == [sealed]


@pytest.mark.parametrize(
    "payload",
    [
        SECRET,
        Payload(),
        Payload(metadata={"encoding": ENCRYPTED}, data=b"no key is named"),
        Payload(metadata={"encoding": ENCRYPTED, "encryption-key-id": NEW.mark.encode()}, data=b"short"),
        Payload(metadata={"encoding": COMPRESSED}, data=b"not compressed"),
        Payload(metadata={"encoding": COMPRESSED}, data=b"x\x9c\x01"),
    ],
)
async def test_what_is_not_ours_passes_through(payload: Payload) -> None:
    assert await codec().decode([payload]) == [payload]


async def test_what_is_nearly_too_large_still_fits_when_it_is_encrypted() -> None:
    converter = data_converter(
        Config(encryption=EncryptionSettings.model_validate({"keys": NEW.line, "current": "new"}))
    )
    value = "x" * (MAX_PAYLOAD_BYTES - 100)
    [sealed] = await converter.encode([value])
    assert MAX_PAYLOAD_BYTES < sealed.ByteSize() < TEMPORAL_REFUSES
    assert await converter.decode([sealed], [str]) == [value]


async def test_what_is_forged_is_refused_by_the_boundary_like_any_input_that_is_not_json() -> None:
    forged = Payload(metadata={"encoding": ENCRYPTED}, data=b"forged")
    with pytest.raises(ApplicationError, match=r"encoding is binary/encrypted, it must be json/plain"):
        await PLAIN.decode([forged], [str])
    assert await PLAIN.decode([forged]) == [RawValue(forged)]
