"""How the pipeline's conversations are set up: who takes part, what is known, how they end. Pure."""

from typing import Final

from pydantic import JsonValue, TypeAdapter

from signals.checkouts import Checkout
from signals.participants import Kind, Participant, Permission
from signals.pipeline import PipelineRequest, ReviewDecision
from workflows.conversation.bounds import Constraints
from workflows.conversation.coordination import FreeForm
from workflows.conversation.emergence import Decision
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import StepError
from workflows.pipeline.fragments import FRAGMENTS
from workflows.pipeline.policy import AUTHOR, Approvals, reviewers

_TAKE_PART: Final = (Permission.SPEAK, Permission.INVOKE)
_DECIDE: Final = (*_TAKE_PART, Permission.DECIDE)
_LEAD: Final = (*_DECIDE, Permission.MODERATE)

_REVIEW: Final = TypeAdapter[ReviewDecision](ReviewDecision)


def debugging(request: PipelineRequest, source: Checkout, error: StepError) -> ConversationSetup:
    """Talk about what is wrong with a commit, among its author, an AI debugger and the team lead."""
    pipeline = source.pipeline
    lead = pipeline.lead if pipeline.lead != request.author else None
    people = [
        Participant(id=request.author, kind=Kind.HUMAN, role="developer", can=_DECIDE if lead else _LEAD),
        *([Participant(id=lead, kind=Kind.HUMAN, role="lead", can=_LEAD)] if lead else []),
        *([_assistant("debugger", "Debugger")] if pipeline.assistants else []),
    ]
    return ConversationSetup(
        topic=f"{error.message} ({_commit(error)}, by {request.author})"[:500],
        participants=_with(people, request.participants),
        coordination=FreeForm(),
        emergence=(Decision(),),
        facts={**error.details, "what to decide": _FIXES},
        fragments=FRAGMENTS,
        guidance="debugging",
        constraints=Constraints(timeout_seconds=pipeline.talk_seconds),
    )


def review(request: PipelineRequest, source: Checkout, error: StepError) -> ConversationSetup:
    """Talk about whether a commit is to be deployed, among its author and those who may approve it."""
    pipeline = source.pipeline
    commit = str(error.details["commit"])
    people = [
        Participant(id=request.author, kind=Kind.HUMAN, role=AUTHOR, can=_TAKE_PART),
        *(
            Participant(id=name, kind=Kind.HUMAN, role=role, can=(*_TAKE_PART, Permission.MODERATE))
            for name, role in reviewers(pipeline, request.author)
        ),
        *([_assistant("review-assistant", "Review assistant")] if pipeline.assistants else []),
    ]
    roles = pipeline.review.roles
    return ConversationSetup(
        topic=f"Review: {error.message} (by {request.author})"[:500],
        participants=_with(people, request.participants),
        coordination=FreeForm(),
        emergence=(Approvals(count=pipeline.review.approvals, roles=roles, commit=commit),),
        outcome=_review_schema(commit),
        facts={**error.details, "what to decide": _VERDICTS},
        fragments=FRAGMENTS,
        guidance="review",
        guests=None,
        constraints=Constraints(timeout_seconds=pipeline.talk_seconds),
    )


_FIXES: Final = (
    'propose {"action": "commit", "commit": REVISION} to go on with a commit that mends it, {"action": "patch", '
    '"patch": DIFF}, {"action": "accept", "reason": TEXT} to go on as it is, or {"action": "give_up", "reason": TEXT}'
)

_VERDICTS: Final = (
    'propose {"verdict": "approve", "commit": COMMIT}, {"verdict": "changes", "reason": TEXT} or {"verdict": "reject", '
    '"reason": TEXT}; the author brings another commit by {"verdict": "changes", "reason": TEXT, "replacement": '
    "REVISION}"
)


def _assistant(name: str, label: str) -> Participant:
    return Participant(id=name, kind=Kind.AI, role="assistant", name=label, can=_TAKE_PART)


def _with(people: list[Participant], others: tuple[Participant, ...]) -> tuple[Participant, ...]:
    """People, and others that are not among them already."""
    there = {who.id for who in people}
    return (*people, *(who for who in others if who.id not in there))


def _commit(error: StepError) -> str:
    return str(error.details.get("commit", ""))[:12]


def _review_schema(commit: str) -> dict[str, JsonValue]:
    """The JSON Schema of a review's outcome: no other commit can be approved."""
    schema = _REVIEW.json_schema()
    schema["$defs"]["Approve"]["properties"]["commit"] = {"const": commit}
    return schema
