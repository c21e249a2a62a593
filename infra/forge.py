"""Webhooks of a forge, in GitHub's form: whether one is genuine, and what it means for pipelines. Pure."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from infra.errors import SetupError
from signals.messages import Propose, Turn
from signals.pipeline import PipelineRequest
from signals.wire import MAX_TEXT_BYTES, one_line

MAX_BYTES: Final = 25 * 1024 * 1024
"""GitHub sends no more."""

SCHEME: Final = "sha256="

PUSHED_AGAIN: Final = "a new commit was pushed"

M = TypeVar("M", bound=BaseModel)


class Event(StrEnum):
    """The events that mean something (`X-GitHub-Event`)."""

    PUSH = "push"
    PULL_REQUEST = "pull_request"
    REVIEW = "pull_request_review"


@dataclass(frozen=True)
class Start:
    """A pipeline is to be started."""

    workflow_id: str
    request: PipelineRequest


@dataclass(frozen=True)
class Renew:
    """A new commit takes the place of a pipeline's: in its conversation where it has one open, else in a new run."""

    workflow_id: str
    request: PipelineRequest


@dataclass(frozen=True)
class Say:
    """Something is to be said in a pipeline's conversation."""

    workflow_id: str
    message: Propose | Turn


@dataclass(frozen=True)
class Cancel:
    """A pipeline is not wanted any more."""

    workflow_id: str


@dataclass(frozen=True)
class Nothing:
    """There is nothing to do."""

    because: str


Meaning = Start | Renew | Say | Cancel | Nothing


def is_genuine(secret: str, body: bytes, signature: str) -> bool:
    """Tell whether a webhook was signed with a secret.

    Args:
        secret: What forge and receiver share.
        body: The webhook, byte for byte.
        signature: Its header `X-Hub-Signature-256`.
    """
    right = SCHEME + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(right.encode(), signature.strip().encode())


def meaning_of(event: Event, body: bytes, repository: str | None = None) -> Meaning:
    """Say what a webhook means.

    Args:
        event: Its kind.
        body: Its JSON.
        repository: Where the repository is reached, where it isn't by the address in the webhook.

    Raises:
        SetupError: It isn't what its kind says.
    """
    match event:
        case Event.PUSH:
            return _pushed(_read(_Push, event, body), repository)
        case Event.PULL_REQUEST:
            return _pull_request(_read(_PullRequestEvent, event, body), repository)
        case Event.REVIEW:
            return _reviewed(_read(_ReviewEvent, event, body))


class _Part(BaseModel):
    """What is read of a webhook; all the rest of it doesn't matter."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _User(_Part):
    login: str


class _Repository(_Part):
    full_name: str
    clone_url: str
    default_branch: str


class _Pusher(_Part):
    name: str


class _Push(_Part):
    ref: str
    before: str
    after: str
    deleted: bool = False
    repository: _Repository
    pusher: _Pusher
    sender: _User | None = None


class _End(_Part):
    sha: str


class _PullRequest(_Part):
    number: int
    draft: bool = False
    merged: bool = False
    head: _End
    base: _End
    user: _User


class _PullRequestEvent(_Part):
    action: str
    pull_request: _PullRequest
    repository: _Repository


class _Review(_Part):
    id: int
    state: str
    body: str | None = None
    commit_id: str
    user: _User


class _ReviewEvent(_Part):
    action: str
    review: _Review
    pull_request: _PullRequest
    repository: _Repository


def _read(model: type[M], event: Event, body: bytes) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise SetupError(f"this is no '{event}' webhook: {one_line(error)}") from None


def _pushed(push: _Push, repository: str | None) -> Start | Nothing:
    branch = push.ref.removeprefix("refs/heads/")
    if push.deleted:
        return Nothing(f"{branch} was deleted")
    if branch != push.repository.default_branch or branch == push.ref:
        return Nothing(f"{push.ref} is not the default branch, {push.repository.default_branch}")
    base = None if set(push.before) == {"0"} else push.before
    author = push.sender.login if push.sender else push.pusher.name
    request = _request(repository or push.repository.clone_url, push.after, author, base)
    return Start(f"pipeline/{push.repository.full_name}/{push.after[:12]}", request)


def _pull_request(event: _PullRequestEvent, repository: str | None) -> Meaning:
    pull, workflow_id = event.pull_request, _pull_id(event.repository, event.pull_request)
    if event.action == "closed":
        return Nothing(f"pull request {pull.number} was merged") if pull.merged else Cancel(workflow_id)
    if pull.draft:
        return Nothing(f"pull request {pull.number} is a draft")
    # The forge has the commits of a pull request in the repository that it is for, also those of a fork.
    request = _request(repository or event.repository.clone_url, pull.head.sha, pull.user.login, pull.base.sha)
    match event.action:
        case "opened" | "reopened" | "ready_for_review":
            return Start(workflow_id, request)
        case "synchronize":
            return Renew(workflow_id, request)
        case other:
            return Nothing(f"a pull request that is '{other[:50]}' changes nothing")


def _reviewed(event: _ReviewEvent) -> Say | Nothing:
    review, speaker = event.review, identifier_of(event.review.user.login)
    text = _text(review.body or "")
    message: Propose | Turn
    if event.action != "submitted":
        return Nothing(f"a review that is '{event.action[:50]}' changes nothing")
    match review.state.lower():
        case "approved":
            message = _proposal(speaker, {"verdict": "approve", "commit": review.commit_id}, text)
        case "changes_requested":
            reason = text[:2000] or "changes were requested, without a word on which"
            message = _proposal(speaker, {"verdict": "changes", "reason": reason}, None)
        case "commented" if text:
            message = Turn(speaker=speaker, text=text, id=f"review-{review.id}")
        case _:
            return Nothing("the review says nothing")
    return Say(_pull_id(event.repository, event.pull_request), message)


def _pull_id(repository: _Repository, pull: _PullRequest) -> str:
    return f"pipeline/{repository.full_name}/pull-{pull.number}"


def _proposal(speaker: str, outcome: dict[str, JsonValue], comment: str | None) -> Propose:
    return Propose(speaker=speaker, outcome=outcome, comment=comment or None)


def _request(repository: str, commit: str, author: str, base: str | None) -> PipelineRequest:
    try:
        return PipelineRequest(repository=repository, commit=commit, author=identifier_of(author), base=base)
    except ValidationError as error:
        raise SetupError(f"no pipeline can be started for this webhook: {one_line(error)}") from None


def identifier_of(login: str) -> str:
    """A participant's id for a name on the forge: `dependabot[bot]` has letters that none may have."""
    return re.sub(r"[^A-Za-z0-9._@+-]+", "-", login).strip("-._@+")[:64] or "somebody"


def _text(body: str) -> str:
    return body.encode()[:MAX_TEXT_BYTES].decode(errors="ignore").strip()
