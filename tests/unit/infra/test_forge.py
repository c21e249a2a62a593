"""What a forge's webhooks mean for pipelines, and whether they are genuine."""

import pytest

from infra.errors import SetupError
from infra.forge import Cancel, Event, Meaning, Nothing, Renew, Say, Start, identifier_of, is_genuine, meaning_of
from signals.messages import Propose, Turn
from tests.unit.infra.webhooks import BASE, SHA, pull_request, push, review

PULL = "pipeline/ann/shop/pull-7"


def test_a_webhook_is_genuine_if_it_was_signed_with_the_secret_as_it_is() -> None:
    # GitHub's own example.
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert is_genuine("It's a Secret to Everybody", b"Hello, World!", signature)
    assert not is_genuine("It's a Secret to Everybody", b"Hello, World?", signature)
    assert not is_genuine("another", b"Hello, World!", signature)
    for other in ("", "sha256=", signature.removeprefix("sha256="), "sha256=ü"):
        assert not is_genuine("It's a Secret to Everybody", b"Hello, World!", other)


def test_a_push_to_the_default_branch_starts_a_pipeline() -> None:
    meaning = meaning_of(Event.PUSH, push())
    assert isinstance(meaning, Start)
    assert meaning.workflow_id == f"pipeline/ann/shop/{SHA[:12]}"
    assert (meaning.request.commit, meaning.request.base, meaning.request.author) == (SHA, BASE, "ann")
    assert meaning.request.repository == "https://example.com/ann/shop.git"


def test_the_repository_may_be_reached_otherwise() -> None:
    meaning = meaning_of(Event.PUSH, push(), "/srv/git/shop.git")
    assert isinstance(meaning, Start)
    assert meaning.request.repository == "/srv/git/shop.git"


def test_a_branch_s_first_push_has_nothing_to_be_compared_with_but_its_parent() -> None:
    meaning = meaning_of(Event.PUSH, push(before="0" * 40))
    assert isinstance(meaning, Start)
    assert meaning.request.base is None


@pytest.mark.parametrize(
    ("event", "body", "because"),
    [
        (Event.PUSH, push(ref="refs/heads/other"), "refs/heads/other is not the default branch, main"),
        (Event.PUSH, push(ref="refs/tags/main"), "refs/tags/main is not the default branch, main"),
        (Event.PUSH, push(deleted=True), "main was deleted"),
        (Event.PULL_REQUEST, pull_request("opened", draft=True), "pull request 7 is a draft"),
        (Event.PULL_REQUEST, pull_request("closed", merged=True), "pull request 7 was merged"),
        (Event.PULL_REQUEST, pull_request("labeled"), "a pull request that is 'labeled' changes nothing"),
        (Event.REVIEW, review("commented", ""), "the review says nothing"),
        (Event.REVIEW, review("dismissed", "x"), "the review says nothing"),
        (Event.REVIEW, review("approved", "x", action="edited"), "a review that is 'edited' changes nothing"),
    ],
)
def test_what_changes_nothing_is_left_alone(event: Event, body: bytes, because: str) -> None:
    assert meaning_of(event, body) == Nothing(because)


@pytest.mark.parametrize(
    ("action", "kind"),
    [("opened", Start), ("reopened", Start), ("ready_for_review", Start), ("synchronize", Renew), ("closed", Cancel)],
)
def test_a_pull_request_has_one_pipeline(action: str, kind: type[Meaning]) -> None:
    meaning = meaning_of(Event.PULL_REQUEST, pull_request(action))
    assert isinstance(meaning, Start | Renew | Cancel)
    assert isinstance(meaning, kind)
    assert meaning.workflow_id == PULL


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            review("approved", "fine"),
            Propose(speaker="dana", outcome={"verdict": "approve", "commit": SHA}, comment="fine"),
        ),
        (review("APPROVED", None), Propose(speaker="dana", outcome={"verdict": "approve", "commit": SHA})),
        (
            review("changes_requested", "no test"),
            Propose(speaker="dana", outcome={"verdict": "changes", "reason": "no test"}),
        ),
        (review("commented", " Why? "), Turn(speaker="dana", text="Why?", id="review-3")),
    ],
)
def test_a_review_is_said_in_the_pull_request_s_conversation(body: bytes, message: Propose | Turn) -> None:
    assert meaning_of(Event.REVIEW, body) == Say(PULL, message)


def test_changes_are_requested_also_without_a_word() -> None:
    meaning = meaning_of(Event.REVIEW, review("changes_requested", None))
    assert isinstance(meaning, Say)
    assert isinstance(meaning.message, Propose)
    assert meaning.message.outcome == {
        "verdict": "changes",
        "reason": "changes were requested, without a word on which",
    }


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "this is no 'push' webhook: input: Invalid JSON"),
        (b"[]", "this is no 'push' webhook: input: "),
        (b"{}", "this is no 'push' webhook: ref: Field required"),
        (push(after="--all"), "no pipeline can be started for this webhook: commit: "),
    ],
)
def test_what_isn_t_what_it_is_said_to_be_is_refused(body: bytes, told: str) -> None:
    with pytest.raises(SetupError) as refused:
        meaning_of(Event.PUSH, body)
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize(
    ("login", "name"), [("ann", "ann"), ("dependabot[bot]", "dependabot-bot"), ("[]", "somebody"), ("x" * 99, "x" * 64)]
)
def test_a_name_on_the_forge_is_a_participant_s_id(login: str, name: str) -> None:
    assert identifier_of(login) == name
