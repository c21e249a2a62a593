"""Large payloads: kept in a folder or in S3, the history holds a reference."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from infra.config import Config
from infra.errors import SetupError
from infra.payloads.converter import data_converter
from infra.payloads.keys import Key
from infra.payloads.settings import EncryptionSettings, PayloadSettings
from infra.payloads.storage import MOST_STORED_BYTES

WORDS = "what was said " * 5000
SMALL = "a word"


def storing(**where: object) -> DataConverter:
    """A converter that stores, and encrypts."""
    settings = PayloadSettings.model_validate({"store_over": 4096, **where})
    encryption = EncryptionSettings.model_validate({"current": "k", "keys": Key.new("k").line})
    return data_converter(Config(payloads=settings, encryption=encryption))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_is_large_is_a_file_and_what_is_not_stays_in_the_history(tmp_path: Path) -> None:
    converter = storing(folder=tmp_path / "payloads")
    large, small = await converter.encode([WORDS, SMALL])
    [path] = files(tmp_path)
    assert large.ByteSize() < 300
    assert large.external_payloads[0].size_bytes == path.stat().st_size
    assert await converter.decode([large, small], [str, str]) == [WORDS, SMALL]


async def test_what_is_stored_is_encrypted_and_for_its_owner_alone(tmp_path: Path) -> None:
    await storing(folder=tmp_path).encode([WORDS])
    [path] = files(tmp_path)
    assert b"what was said" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_same_payload_is_stored_once(tmp_path: Path) -> None:
    converter = data_converter(Config(payloads=PayloadSettings(folder=tmp_path, store_over=4096)))
    assert await converter.encode([WORDS]) == await converter.encode([WORDS])
    assert len(files(tmp_path)) == 1


async def test_what_is_compressed_well_needs_no_storing(tmp_path: Path) -> None:
    converter = data_converter(Config(payloads=PayloadSettings(folder=tmp_path, store_over=4096, compress_over=1024)))
    assert await converter.decode(await converter.encode([WORDS]), [str]) == [WORDS]
    assert files(tmp_path) == []


async def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    converter = storing(folder=tmp_path)
    payloads = await converter.encode([WORDS])
    [path] = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ValueError, match="not what was written"):
        await converter.decode(payloads, [str])


async def test_a_reference_can_name_no_other_file(tmp_path: Path) -> None:
    converter = storing(folder=tmp_path / "payloads")
    (tmp_path / "secret").write_bytes(Payload(data=b"x").SerializeToString())
    [reference] = await converter.encode([WORDS])
    [path] = files(tmp_path / "payloads")
    reference.data = reference.data.replace(path.name.encode(), b"../../secret")
    with pytest.raises(ValueError, match="names no hash"):
        await converter.decode([reference], [str])


async def test_what_is_stored_may_be_larger_than_what_temporal_takes_but_not_without_end(tmp_path: Path) -> None:
    converter = storing(folder=tmp_path)
    assert (await converter.encode(["x" * 3_000_000]))[0].ByteSize() < 300
    with pytest.raises(ApplicationError, match=f"at most {MOST_STORED_BYTES:,} can be sent"):
        await converter.encode(["x" * MOST_STORED_BYTES])


async def test_many_that_are_each_too_small_to_be_stored_are_refused_together(tmp_path: Path) -> None:
    converter = data_converter(Config(payloads=PayloadSettings(folder=tmp_path)))
    with pytest.raises(ApplicationError, match="can be sent"):
        await converter.encode(["x" * 250_000] * 8)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ({"folder": "here", "bucket": "there"}, "name one of them"),
        ({"folder": "/proc/payloads"}, r"\[payloads\] folder: /proc/payloads: "),
    ],
)
def test_a_place_that_cannot_be_used_is_told_at_the_start(where: dict[str, object], reason: str) -> None:
    with pytest.raises(SetupError, match=reason):
        storing(**where)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of a server that speaks S3, in this process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    yield "parley-payloads"
    server.stop()


async def test_a_bucket_of_s3_holds_what_is_large(bucket: str) -> None:
    import boto3

    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    converter = storing(bucket=bucket)
    payloads = await converter.encode([WORDS, SMALL])
    assert await converter.decode(payloads, [str, str]) == [WORDS, SMALL]
    [stored] = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert b"what was said" not in s3.get_object(Bucket=bucket, Key=stored["Key"])["Body"].read()


async def test_a_bucket_that_is_not_there_is_an_error_that_is_tried_again(bucket: str) -> None:
    with pytest.raises(RuntimeError, match="store failed"):
        await storing(bucket=f"not-{bucket}").encode([WORDS])
