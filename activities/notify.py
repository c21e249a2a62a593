"""Telling people, outside the conversation, that it waits for them: signed posts to webhooks.

Temporal retries: what passes is tried again, and a webhook that took it isn't posted to a second time. Nothing of a
webhook but its host is in a history or a log: the rest of an address may be as secret as the secret, and an answer may
hold anything.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

import httpx2
from standardwebhooks import Webhook as Signer
from temporalio import activity
from temporalio.exceptions import ApplicationError

from signals.errors import ErrorType
from signals.notices import Told, Waiting
from signals.participants import Participant
from workflows.conversation.stubs import Notifier

EVENT: Final = "participant.awaited"
"""What a post is about, in its `type`."""

TIME_LIMIT: Final = timedelta(seconds=10)
"""How long one post may take, up to the answer's status: less than the activity may, so that it says what was slow."""

LONGEST_WAIT: Final = timedelta(minutes=15)
"""How long a webhook is left in peace at most, whatever it says: after that nobody tries any more."""

PASSING: Final = frozenset({408, 425, 429})
"""The HTTP statuses below 500 that trying again may mend."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to post to, and for whom: for everybody, where nobody is named."""

    url: str
    signer: Signer
    """Signs with the secret that the webhook knows."""

    people: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    @property
    def host(self) -> str:
        """What it is called where it is spoken of."""
        return urlsplit(self.url).hostname or "webhook"

    @property
    def key(self) -> str:
        """What it is remembered by."""
        return sha256(self.url.encode()).hexdigest()[:16]

    def is_for(self, person: Participant) -> bool:
        """Whether somebody is told by it."""
        return not (self.people or self.roles) or person.id in self.people or person.role in self.roles


@dataclass(frozen=True, slots=True)
class _Post:
    """What one webhook is sent."""

    hook: Webhook
    id: str
    """The same at every try: who has it already knows it for a duplicate."""

    body: str


class WebhookNotifier(Notifier):
    """Posts to webhooks, signed as https://www.standardwebhooks.com has it.

    Args:
        webhooks: The webhooks.
        client: What posts; it must not follow redirects.
    """

    def __init__(self, webhooks: Sequence[Webhook], client: httpx2.AsyncClient) -> None:
        self._webhooks = webhooks
        self._client = client

    @activity.defn(name="notify")
    async def notify(self, waiting: Waiting) -> Told:
        """Post to the webhooks of those who are waited for; nobody is told, where there are none.

        Raises:
            ApplicationError: `InvalidInput`, not retryable, when a webhook refuses it for good.
        """
        posts = [post for hook in self._webhooks if (post := _post_for(hook, waiting)) is not None]
        # What became of each, by its webhook: refused with a reason, or taken, which is none.
        settled = _settled_before()
        open_posts = [post for post in posts if post.hook.key not in settled]
        failures = await asyncio.gather(*(self._settle(post, settled) for post in open_posts))
        if later := [failure for failure in failures if failure is not None]:
            raise max(later, key=lambda failure: failure.next_retry_delay or timedelta())
        if refused := [reason for reason in settled.values() if reason is not None]:
            raise ApplicationError("; ".join(refused), type=ErrorType.INVALID_INPUT, non_retryable=True)
        return Told(delivered=len(posts))

    async def _settle(self, post: _Post, settled: dict[str, str | None]) -> ApplicationError | None:
        """Post once and note what became of it; answers why it is to be tried again, where it is."""
        host = post.hook.host
        try:
            async with asyncio.timeout(TIME_LIMIT.total_seconds()):
                status, wait = await self._send(post)
        except (httpx2.TransportError, TimeoutError):
            return ApplicationError(f"{host} can't be reached, or is too slow")
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return ApplicationError(f"{host} answers with something else than HTTP")
        if status in PASSING or status >= 500:
            return ApplicationError(f"{host} answers with HTTP status {status}", next_retry_delay=wait)
        settled[post.hook.key] = None if status < 300 else _refusal(host, status)
        # A second try finds it in the signs of life.
        activity.heartbeat(settled)
        return None

    async def _send(self, post: _Post) -> tuple[int, timedelta | None]:
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": post.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": post.hook.signer.sign(post.id, now, post.body),
        }
        # Nobody reads what it answers, however long that may be.
        async with self._client.stream("POST", post.hook.url, content=post.body, headers=headers) as answer:
            return answer.status_code, _wait(answer.headers.get("retry-after"), now)


def _post_for(hook: Webhook, waiting: Waiting) -> _Post | None:
    people = tuple(person for person in waiting.people if hook.is_for(person))
    if not people:
        return None
    data = waiting.model_copy(update={"people": people}).model_dump(mode="json")
    told = f"{waiting.conversation}\n{waiting.since.isoformat()}\n{waiting.reminder}\n{hook.key}"
    body = {"type": EVENT, "timestamp": activity.info().scheduled_time.isoformat(), "data": data}
    return _Post(hook, f"msg_{sha256(told.encode()).hexdigest()[:32]}", json.dumps(body, ensure_ascii=False))


def _settled_before() -> dict[str, str | None]:
    """What became of the posts of earlier tries."""
    details = activity.info().heartbeat_details
    known = details[0] if details else None
    return dict(known) if isinstance(known, dict) else {}


def _refusal(host: str, status: int) -> str:
    what = "sends elsewhere, which isn't followed" if status < 400 else "refuses it"
    return f"{host} {what} (HTTP status {status}); check its address and secret in [notify]"


def _wait(retry_after: str | None, now: datetime) -> timedelta | None:
    """How long to wait, by the header: seconds, or a date."""
    if retry_after is None:
        return None
    try:
        wait = (
            timedelta(seconds=int(retry_after)) if retry_after.isdigit() else parsedate_to_datetime(retry_after) - now
        )
    except (ValueError, TypeError, OverflowError):
        return None
    return min(wait, LONGEST_WAIT) if wait > timedelta() else None
