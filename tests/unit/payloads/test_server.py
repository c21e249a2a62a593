"""The codec server: Temporal's protocol, for who shows the token, on pages of named origins."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from google.protobuf import json_format
from httpx2 import Response
from starlette.testclient import TestClient
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import DataConverter

from infra.config import Config
from infra.payloads.converter import PLAIN, data_converter
from infra.payloads.keys import Key
from infra.payloads.server import MOST_BYTES, CodecServer
from infra.payloads.settings import EncryptionSettings, PayloadSettings

TOKEN = "as-long-as-it-should-be"
UI = "http://127.0.0.1:8233"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
KEY = Key.new("k")
SAID = Payload(metadata={"encoding": b"json/plain"}, data=b'"between us"')


@pytest.fixture
def converter(tmp_path: Path) -> DataConverter:
    encryption = EncryptionSettings.model_validate({"current": "k", "keys": KEY.line})
    return data_converter(Config(encryption=encryption, payloads=PayloadSettings(folder=tmp_path, store_over=4096)))


@pytest.fixture
def asking(converter: DataConverter) -> TestClient:
    return TestClient(CodecServer(converter, TOKEN, [UI]).app(), base_url="http://127.0.0.1:8081")


def asked(asking: TestClient, path: str, payloads: Sequence[Payload], **headers: str) -> Response:
    body = json_format.MessageToJson(Payloads(payloads=payloads))
    return asking.post(path, content=body, headers={**BEARER, **headers})


def answered(response: Response) -> list[Payload]:
    assert response.status_code == 200, response.text
    return list(json_format.Parse(response.text, Payloads()).payloads)


async def test_it_reads_what_workers_write_and_writes_what_they_read(
    asking: TestClient, converter: DataConverter
) -> None:
    assert answered(asked(asking, "/decode", await converter.encode(["between us"]))) == [SAID]
    [sealed] = answered(asked(asking, "/encode", [SAID]))
    assert await converter.decode([sealed], [str]) == ["between us"]


async def test_only_the_last_part_of_the_path_counts(asking: TestClient, converter: DataConverter) -> None:
    assert answered(asked(asking, "/some/namespace/decode", await converter.encode(["between us"]))) == [SAID]


async def test_what_is_not_encrypted_stays_as_it_is(asking: TestClient) -> None:
    assert answered(asked(asking, "/decode", [SAID])) == [SAID]


async def test_what_cannot_be_read_stays_as_it_is_beside_what_can(
    asking: TestClient, converter: DataConverter, caplog: pytest.LogCaptureFixture
) -> None:
    encryption = EncryptionSettings.model_validate({"current": "lost", "keys": Key.new("lost").line})
    [lost] = await data_converter(Config(encryption=encryption)).encode(["gone"])
    [sealed] = await converter.encode(["between us"])
    assert answered(asked(asking, "/decode", [lost, sealed])) == [lost, SAID]
    assert "the key 'lost' is not there" in caplog.text


async def test_what_is_stored_is_fetched_at_once_or_when_the_web_ui_asks_for_it(
    asking: TestClient, converter: DataConverter
) -> None:
    words = "said " * 2000
    [reference] = await converter.encode([words])
    [plain] = answered(asked(asking, "/decode", [reference]))
    assert json.loads(plain.data) == words
    assert answered(asked(asking, "/decode?preserveStorageRefs=true", [reference])) == [reference]
    assert answered(asked(asking, "/download?preserveStorageRefs=true", [reference])) == [plain]


async def test_what_is_stored_and_gone_is_told(asking: TestClient, converter: DataConverter, tmp_path: Path) -> None:
    [reference] = await converter.encode(["said " * 2000])
    shutil.rmtree(tmp_path)
    assert answered(asked(asking, "/decode", [reference])) == [reference]
    gone = asked(asking, "/download", [reference])
    assert (gone.status_code, "No such file" in gone.text) == (422, True)


@pytest.mark.parametrize("path", ["/encode", "/decode", "/download", "/default/decode"])
@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_who_shows_no_token_is_given_nothing(asking: TestClient, path: str, shown: str) -> None:
    refused = asked(asking, path, [SAID], Authorization=shown)
    assert refused.status_code == 401
    assert "between" not in refused.text


def test_a_browser_that_signed_in_needs_no_token(asking: TestClient) -> None:
    assert asking.post("/", data={"token": "wrong"}).status_code == 401
    assert not asking.cookies
    page = asking.post("/", data={"token": TOKEN})
    assert "signed in" in page.text
    cookie = page.history[0].headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    assert TOKEN not in cookie
    assert answered(asked(asking, "/decode", [SAID], Authorization="", Origin=UI)) == [SAID]


def test_pages_of_other_origins_may_not_ask_not_even_with_the_cookie(asking: TestClient) -> None:
    asking.post("/", data={"token": TOKEN})
    assert asked(asking, "/decode", [SAID], Origin="http://evil.example").status_code == 403


def test_a_browser_is_told_which_pages_may_ask(asking: TestClient) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace"}
    allowed = asking.options("/decode", headers={"Origin": UI, **asks})
    refused = asking.options("/decode", headers={"Origin": "http://evil.example", **asks})
    assert allowed.headers["access-control-allow-origin"] == UI
    assert allowed.headers["access-control-allow-credentials"] == "true"
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (400, False)


def test_what_was_said_is_not_kept_by_a_browser(asking: TestClient) -> None:
    assert asked(asking, "/decode", [SAID]).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"payloads": 7}', b"[" * 9999])
def test_a_body_that_is_no_payloads_is_refused(asking: TestClient, body: bytes) -> None:
    assert asking.post("/decode", content=body, headers=BEARER).status_code == 400


def test_a_body_that_is_too_large_is_refused(asking: TestClient) -> None:
    assert asking.post("/decode", content=b" " * (MOST_BYTES + 1), headers=BEARER).status_code == 413


def test_what_is_too_large_to_send_is_not_encoded() -> None:
    asking = TestClient(CodecServer(PLAIN, TOKEN, [UI]).app())
    refused = asked(asking, "/encode", [Payload(data=b"x" * 2_000_000)])
    assert (refused.status_code, "at most 1,900,000 can be sent" in refused.text) == (413, True)
