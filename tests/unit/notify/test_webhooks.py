"""Webhooks that people are told by, over real connections to a server that plays one."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from standardwebhooks import Webhook as Signer
from standardwebhooks.webhooks import WebhookVerificationError
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.notify import Webhook, WebhookNotifier
from signals.errors import ErrorType
from signals.notices import Told, Waiting
from tests.unit.assistant.endpoint import Answer, Endpoint, Hang
from tests.unit.assistant.requests import NOON
from tests.unit.conversation.talk import person

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNER = Signer(SECRET)

WAITING = Waiting(
    conversation="order-1/refused-1",
    topic="Refund",
    people=(person("ann"), person("ben", role="lead")),
    since=NOON,
    reminder=1,
    message=7,
    text="Where is it?",
)
TAKEN = Answer(204)


@pytest.fixture
def webhook() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        endpoint.answer = TAKEN
        yield endpoint


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=1) as client:
        yield client


def hook(
    endpoint: Endpoint, path: str = "hidden", people: set[str] | None = None, roles: set[str] | None = None
) -> Webhook:
    return Webhook(f"{endpoint.url}/{path}", SIGNER, frozenset(people or ()), frozenset(roles or ()))


class Tries:
    """The tries of one activity: each knows what the one before said in its signs of life."""

    def __init__(self, client: httpx2.AsyncClient, *webhooks: Webhook) -> None:
        self._notifier = WebhookNotifier(webhooks, client)
        self._environment = ActivityEnvironment()
        self._environment.on_heartbeat = self._beat
        self.details: tuple[object, ...] = ()

    def _beat(self, *details: object) -> None:
        self.details = tuple(json.loads(json.dumps(details)))

    async def tell(self, waiting: Waiting = WAITING) -> Told:
        self._environment.info = replace(ActivityEnvironment.default_info(), heartbeat_details=self.details)
        return await self._environment.run(self._notifier.notify, waiting)

    async def failure(self, waiting: Waiting = WAITING) -> ApplicationError:
        with pytest.raises(ApplicationError) as failed:
            await self.tell(waiting)
        return failed.value


def is_final(error: ApplicationError) -> bool:
    return error.non_retryable and error.type == ErrorType.INVALID_INPUT


async def test_who_is_waited_for_is_posted_and_signed(webhook: Endpoint, client: httpx2.AsyncClient) -> None:
    assert await Tries(client, hook(webhook)).tell() == Told(delivered=1)
    [post] = webhook.posts
    body = SIGNER.verify(post.text, dict(post.headers))
    assert body["type"] == "participant.awaited"
    assert Waiting.model_validate(body["data"]) == WAITING
    assert post.headers["content-type"] == "application/json"
    forged = post.text.replace("Refund", "Refunds")
    with pytest.raises(WebhookVerificationError):
        SIGNER.verify(forged, dict(post.headers))


async def test_without_webhooks_nobody_is_told_at_once(client: httpx2.AsyncClient) -> None:
    assert await Tries(client).tell() == Told(delivered=0)


@pytest.mark.parametrize(
    ("people", "roles", "told"),
    [(set(), set(), ["ann", "ben"]), ({"ann"}, set(), ["ann"]), (set(), {"lead"}, ["ben"]), ({"eve"}, {"boss"}, [])],
)
async def test_a_webhook_is_told_of_those_whom_it_is_for_alone(
    webhook: Endpoint, client: httpx2.AsyncClient, people: set[str], roles: set[str], told: list[str]
) -> None:
    assert await Tries(client, hook(webhook, people=people, roles=roles)).tell() == Told(delivered=bool(told))
    assert [who["id"] for post in webhook.asked for who in post["data"]["people"]] == told


async def test_every_try_has_the_same_id_and_another_wait_has_another(
    webhook: Endpoint, client: httpx2.AsyncClient
) -> None:
    webhook.first = [Answer(503)]
    tries = Tries(client, hook(webhook))
    await tries.failure()
    await tries.tell()
    await Tries(client, hook(webhook)).tell(WAITING.model_copy(update={"reminder": 2}))
    ids = [post.headers["webhook-id"] for post in webhook.posts]
    assert ids[0] == ids[1] != ids[2]
    assert webhook.posts[0].text == webhook.posts[1].text


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
async def test_what_passes_is_left_to_be_tried_again(
    webhook: Endpoint, client: httpx2.AsyncClient, status: int
) -> None:
    webhook.answer = Answer(status)
    error = await Tries(client, hook(webhook)).failure()
    assert (error.non_retryable, error.next_retry_delay) == (False, None)
    assert error.message == f"127.0.0.1 answers with HTTP status {status}"
    assert len(webhook.posts) == 1


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 410, 422])
async def test_what_a_webhook_refuses_is_final_and_nobody_is_sent_elsewhere(
    webhook: Endpoint, client: httpx2.AsyncClient, status: int
) -> None:
    webhook.answer = Answer(status, headers={"location": f"{webhook.url}/elsewhere"})
    error = await Tries(client, hook(webhook)).failure()
    assert is_final(error)
    assert f"(HTTP status {status}); check its address and secret in [notify]" in error.message
    assert len(webhook.posts) == 1


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("86400", 900), ("0", None), ("-3", None), ("soon", None)])
async def test_a_webhook_says_when_to_try_again(
    webhook: Endpoint, client: httpx2.AsyncClient, header: str, seconds: int | None
) -> None:
    webhook.answer = Answer(429, headers={"retry-after": header})
    error = await Tries(client, hook(webhook)).failure()
    assert error.next_retry_delay == (None if seconds is None else timedelta(seconds=seconds))


async def test_a_webhook_may_say_it_by_a_date(webhook: Endpoint, client: httpx2.AsyncClient) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    webhook.answer = Answer(503, headers={"retry-after": at})
    error = await Tries(client, hook(webhook)).failure()
    assert error.next_retry_delay is not None
    assert timedelta(seconds=60) < error.next_retry_delay <= timedelta(seconds=90)


async def test_a_webhook_that_is_not_there_or_too_slow_is_tried_again(
    webhook: Endpoint, client: httpx2.AsyncClient
) -> None:
    with Endpoint() as gone:
        pass
    webhook.answer = Hang()
    for endpoint in (gone, webhook):
        error = await Tries(client, hook(endpoint)).failure()
        assert not error.non_retryable
        assert error.message == "127.0.0.1 can't be reached, or is too slow"


async def test_who_took_it_is_not_posted_to_again(webhook: Endpoint, client: httpx2.AsyncClient) -> None:
    with Endpoint() as slow:
        slow.first, slow.answer = [Answer(503), Answer(429)], TAKEN
        tries = Tries(client, hook(webhook), hook(slow))
        for _ in range(2):
            assert not (await tries.failure()).non_retryable
        assert await tries.tell() == Told(delivered=2)
        assert (len(webhook.posts), len(slow.posts)) == (1, 3)


async def test_who_refuses_it_fails_when_all_others_have_it(webhook: Endpoint, client: httpx2.AsyncClient) -> None:
    with Endpoint() as slow, Endpoint() as grim:
        slow.first, slow.answer, grim.answer = [Answer(503)], TAKEN, Answer(403)
        tries = Tries(client, hook(webhook), hook(slow), hook(grim))
        assert not (await tries.failure()).non_retryable
        assert is_final(await tries.failure())
        assert [len(one.posts) for one in (webhook, slow, grim)] == [1, 2, 1]


async def test_nothing_that_is_written_to_history_holds_an_address_or_a_secret_or_an_answer(
    webhook: Endpoint, client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    for status in (403, 503):
        webhook.answer = Answer(status, "told in confidence")
        tries = Tries(client, hook(webhook))
        written = Failure()
        converter = DataConverter.default
        converter.failure_converter.to_failure(await tries.failure(), converter.payload_converter, written)
        kept = f"{written} {tries.details} {caplog.text}"
        assert [word for word in ("hidden", SECRET[6:], "confidence") if word in kept] == []


async def test_posts_to_several_webhooks_are_made_at_the_same_time(client: httpx2.AsyncClient) -> None:
    with Endpoint() as one, Endpoint() as other:
        one.answer = other.answer = Hang()
        async with asyncio.timeout(1.8):
            await Tries(client, hook(one), hook(other)).failure()
